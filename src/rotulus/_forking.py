"""Tells objects that they are in a forked child now, before anybody can use them there.

A fork copies the memory of a process and one of its threads. A lock that another thread held
stays locked in the copy for ever, and a connection belongs to both from then on.
"""

import os
from collections.abc import Callable
from types import MethodType
from typing import Any
from weakref import WeakKeyDictionary

_FOLLOWERS: WeakKeyDictionary[object, Callable[[Any], None]] = WeakKeyDictionary()


def follow_forks(renew: MethodType) -> None:
    """Call this method in every child that is forked from now on, as long as its object lives.

    It makes anew what only one process may use, without touching what is the parent's.
    """
    _FOLLOWERS[renew.__self__] = renew.__func__


def _tell() -> None:
    for follower, renew in list(_FOLLOWERS.items()):
        renew(follower)


if hasattr(os, "register_at_fork"):  # not on Windows, where nothing forks
    os.register_at_fork(after_in_child=_tell)
