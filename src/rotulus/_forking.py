"""Tells objects that they are in a forked child now, before anybody can use them there.

A fork copies the memory of a process and one of its threads. A lock that another thread held
stays locked in the copy for ever, and a connection belongs to both from then on.
"""

import os
from collections.abc import Callable
from weakref import WeakMethod

_FOLLOWERS: set[WeakMethod[Callable[[], None]]] = set()


def follow_forks(renew: Callable[[], None]) -> None:
    """Call this method in every child that is forked from now on, as long as its object lives.

    It makes anew what only one process may use, without touching what is the parent's.
    """
    _FOLLOWERS.add(WeakMethod(renew, _FOLLOWERS.discard))


def _tell() -> None:
    for follower in list(_FOLLOWERS):
        renew = follower()
        if renew is not None:
            renew()


if hasattr(os, "register_at_fork"):  # not on Windows, where nothing forks
    os.register_at_fork(after_in_child=_tell)
