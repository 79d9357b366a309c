"""Attempts in processes of their own, which can be killed and may die: cells, and their nursery.

A *nursery* is forked before its worker starts threads. It is single-threaded, and forks a *cell*
whenever the worker asks for one; a cell runs one attempt after the other, and dies alone.
"""

from rotulus._engine.isolation.cells import Cells
from rotulus._engine.isolation.inside import live
from rotulus._engine.isolation.nursery import Nursery
from rotulus._engine.isolation.system import check_system

__all__ = ["Cells", "Nursery", "check_system", "live"]
