"""Isolated attempts: a fork server, and the task processes that it forks.

A worker forks a *fork server* before it starts threads. The fork server has one thread, and forks a
*task process* whenever the worker asks for one. A task process runs one attempt after the other. It
can be killed, and it dies alone.
"""

from rotulus._engine.isolation.fork_server import ForkServer
from rotulus._engine.isolation.process_pool import ProcessPool
from rotulus._engine.isolation.system import check_system
from rotulus._engine.isolation.task_process_main import run_task_process

__all__ = ["ForkServer", "ProcessPool", "check_system", "run_task_process"]
