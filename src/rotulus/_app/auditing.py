"""Writes down what an actor does: before it is done, and to how many when it is done."""

import logging
from collections.abc import Callable
from contextvars import ContextVar
from typing import NamedTuple, TypeVar, cast

from rotulus._app.actor import Actor, current_actor
from rotulus._text.names import is_storable
from rotulus.errors import RotulusError
from rotulus.store import AuditEntry, Store

R = TypeVar("R")

_LOG = logging.getLogger("rotulus")

_LONGEST = 500


class Act(NamedTuple):
    """What is done.

    Attributes:
        verb: the verb with its noun: `jobs.cancel`.
        target: what it is done to, an id or a name; None: several things.
        detail: how the verb was called, as a JSON object.
        named: how many things were named.
    """

    verb: str
    target: str | None = None
    detail: str = "{}"
    named: int = 1


class _Tally:
    """To how many something was done so far; None: nobody has counted."""

    def __init__(self) -> None:
        self.count: int | None = None


_TALLY: ContextVar[_Tally | None] = ContextVar("rotulus_tally", default=None)
"""That of what is written down now: what it does in turn is a part of it."""


def is_audited() -> bool:
    """Returns whether a verb that is called here is to be written down."""
    return current_actor() is not None and _TALLY.get() is None


def count_done(some: int) -> None:
    """Tell to how many more something was done: so an error leaves the right number."""
    tally = _TALLY.get()
    if tally is not None:
        tally.count = (tally.count or 0) + some


def audited(store: Callable[[], Store], act: Act, work: Callable[[], R]) -> R:
    """Do something, and write down who does it, if somebody acts here.

    Args:
        store: gives the store. What cannot be written there is not done.
        act: what is done.
        work: does it.
    """
    actor = current_actor()
    if actor is None or _TALLY.get() is not None:
        return work()
    opened = store()
    number = opened.audit.begin(_entry(actor, act))
    tally = _Tally()
    token = _TALLY.set(tally)
    try:
        done = work()
    except BaseException as error:
        _end(opened, number, tally.count, _told(error))
        raise
    finally:
        _TALLY.reset(token)
    _end(opened, number, _count(tally, act, done), None)
    return done


def _entry(actor: Actor, act: Act) -> AuditEntry:
    return AuditEntry(actor.name, actor.door, actor.role, act.verb, act.target, act.detail)


def _end(store: Store, number: int, count: int | None, error: str | None) -> None:
    """Complete an entry. It has been done, so a store that is gone now is no reason to raise."""
    try:
        store.audit.end(number, count, error)
    except RotulusError as problem:
        _LOG.warning("entry %d of the audit was not completed: %s", number, problem)


def _count(tally: _Tally, act: Act, done: object) -> int:
    """To how many it was done, as it has counted, or as its answer says."""
    if tally.count is not None:
        return tally.count
    if done is None:
        return act.named
    if isinstance(done, int):
        return int(done)
    return len(cast("list[object]", done)) if isinstance(done, list) else 1


def _told(error: BaseException) -> str:
    """Returns an error in a line. Only ours say nothing of what a user's code has in hand."""
    kind = type(error).__name__
    text = f"{kind}: {error}" if isinstance(error, RotulusError) else kind
    return storable(text)


def storable(text: str) -> str:
    """Returns a text that every store can hold, of 500 characters at most."""
    return text[:_LONGEST] if is_storable(text) else ascii(text)[1:-1][:_LONGEST]
