"""Tells objects that they are in a forked child now, before anybody can use them there.

A fork copies the memory of a process and one of its threads. A lock that another thread held
stays locked in the copy for ever, and a connection belongs to both from then on.
"""

import os
from typing import Protocol
from weakref import WeakSet


class Forkable(Protocol):
    """Something that holds what only one process may use."""

    def forked(self) -> None:
        """Make it anew, without touching the parent's; called in the child before all else."""
        ...


_FOLLOWERS: WeakSet[Forkable] = WeakSet()


def follow_forks(follower: Forkable) -> None:
    """Tell this object in every child that is forked from now on, as long as it lives."""
    _FOLLOWERS.add(follower)


def _tell() -> None:
    for follower in list(_FOLLOWERS):
        follower.forked()


if hasattr(os, "register_at_fork"):  # not on Windows, where nothing forks
    os.register_at_fork(after_in_child=_tell)
