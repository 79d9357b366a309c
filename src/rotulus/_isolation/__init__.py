"""Attempts in processes of their own, which can be killed and may die: cells, and their nursery.

A *nursery* is forked before its worker starts threads. It is single-threaded, and forks a *cell*
whenever the worker asks for one; a cell runs one attempt after the other, and dies alone.
"""

from rotulus._isolation.cells import Cells
from rotulus._isolation.inside import live
from rotulus._isolation.nursery import Nursery
from rotulus._isolation.system import check_system

__all__ = ["Cells", "Nursery", "check_system", "live"]
