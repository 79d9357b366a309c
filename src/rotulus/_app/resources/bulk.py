"""What is done to many jobs: cancel, retry, delete and reprioritise, by ids or by filters."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Unpack

from rotulus._app.auditing import count_done
from rotulus._app.port import AppPort
from rotulus._app.resources.pages import read_cursor, write_cursor
from rotulus._app.resources.steering import steers
from rotulus._app.resources.where import (
    Where,
    check_filter_names,
    check_flag,
    check_limit,
    check_text,
    read_where,
)
from rotulus._concurrency.pool import off_loop
from rotulus._jobs.job import Job
from rotulus._jobs.record import JobRecord
from rotulus._jobs.states import ENDED, LIVE, RETRYABLE, State
from rotulus._tasks.checks import check_priority
from rotulus.errors import OptionError
from rotulus.store import EVERYTHING, Filter

MOST_KEPT = 1_000
"""Of how many jobs more than their number is told."""

_MOST_TRIED = 10_000
"""Of how many jobs a dry run says whether they would be changed."""

_AT_ONCE = 500

_WAITING = LIVE - {State.RUNNING}

Act = Callable[[AppPort, Sequence[str]], list[JobRecord]]
"""Changes some jobs; returns those that it has changed."""


class BulkProgress(NamedTuple):
    """How far a verb has got with jobs that filters choose.

    Attributes:
        matched: how many jobs matched so far.
        changed: how many of them were changed.
        next: what to give as `after` to go on from here; None: it is done.
    """

    matched: int
    changed: int
    next: str | None


class Chosen(Where, total=False):
    """Which jobs a verb is for, and how it goes about it. Of ids, only `dry_run` counts.

    Attributes:
        dry_run: change nothing, and give the jobs that would be changed.
        progress: is called after each batch.
        limit: stop when so many jobs have matched.
        after: go on from a `next`; or after the job of this id.
    """

    dry_run: bool
    progress: Callable[[BulkProgress], object] | None
    limit: int | None
    after: str | None


class Changed(list[Job[Any]]):
    """The jobs that a verb has changed, as they stand then, or would change: the first 1,000.

    Attributes:
        total: how many there are in all. A dry run by filters stops at 10,000: then there are more
            if `next` is not None.
        next: what to give as `after` to go on, if a `limit` came first; None: all is done.
    """

    def __init__(self) -> None:
        super().__init__()
        self.total = 0
        self.next: str | None = None


class Verb(NamedTuple):
    """A verb.

    Attributes:
        name: its name.
        states: the states of the jobs that it changes.
        meant: those of them that filters mean, unless they say.
        act: changes some jobs; returns those that it has changed.
        spares: whether it would leave a job in one of the states.
    """

    name: str
    states: frozenset[State]
    meant: frozenset[State]
    act: Act
    spares: Callable[[JobRecord], bool]


class BulkVerbs:
    """Verbs for many jobs, by ids or by filters, each also with an `a` in front.

    By filters they work in batches of 500, the jobs that were added last first, each batch in a
    transaction of its own. Unless `state` is given, they mean the states that they can change;
    `retry` means `failed` and `dead`. A filter that is None counts as not given. A call that was
    interrupted can be made again: what is done matches no more.

    All raise `OptionError` if neither ids nor filters are given, or both are, or one is not
    allowed. To change everything, give the states: `cancel(state=["queued", "delayed"])`.

    Args:
        port: gives the port of the app that answers.
    """

    def __init__(self, port: Callable[[], AppPort]) -> None:
        self._port = port

    @steers("jobs.cancel")
    def cancel(self, *ids: str, **chosen: Unpack[Chosen]) -> Changed:
        """Cancel jobs: at once those that wait; those that run are asked to stop.

        Returns:
            By ids: the jobs that exist, as they stand then. By filters: those that matched.
        """
        return self._change(CANCEL, ids, chosen)

    @steers("jobs.retry")
    def retry(self, *ids: str, **chosen: Unpack[Chosen]) -> Changed:
        """Send `failed`, `dead` and `cancelled` jobs back to their queues, with fresh budgets.

        Filters mean those that failed or are dead, unless `state` is given: somebody wanted the
        cancelled ones to end.

        Returns:
            The jobs that were sent back.
        """
        return self._change(RETRY, ids, chosen)

    @steers("jobs.delete")
    def delete(self, *ids: str, **chosen: Unpack[Chosen]) -> Changed:
        """Delete jobs that have ended, with their earlier attempts; a run goes whole.

        Left are jobs that have not ended, steps of a run by themselves, and jobs whose key is still
        held, as of a schedule's instant that must not fire again.

        Returns:
            The jobs that are gone, as they stood.
        """
        return self._change(DELETE, ids, chosen)

    @steers("jobs.reprioritise")
    def reprioritise(self, *ids: str, priority: int, **chosen: Unpack[Chosen]) -> Changed:
        """Give jobs that wait another priority, where higher is sooner; a run with its steps.

        Returns:
            The jobs that wait, with their new priority.
        """
        check_priority(priority, "priority")

        def act(port: AppPort, ids: Sequence[str]) -> list[JobRecord]:
            return port.store().reprioritise(ids, priority)

        return self._change(Verb("reprioritise", _WAITING, _WAITING, act, _nothing), ids, chosen)

    async def acancel(self, *ids: str, **chosen: Unpack[Chosen]) -> Changed:
        """`cancel`, without blocking the event loop; `progress` is called in a thread."""
        return await off_loop(self.cancel, *ids, **chosen)

    async def aretry(self, *ids: str, **chosen: Unpack[Chosen]) -> Changed:
        """`retry`, without blocking the event loop; `progress` is called in a thread."""
        return await off_loop(self.retry, *ids, **chosen)

    async def adelete(self, *ids: str, **chosen: Unpack[Chosen]) -> Changed:
        """`delete`, without blocking the event loop; `progress` is called in a thread."""
        return await off_loop(self.delete, *ids, **chosen)

    async def areprioritise(self, *ids: str, priority: int, **chosen: Unpack[Chosen]) -> Changed:
        """`reprioritise`, without blocking the event loop; `progress` is called in a thread."""
        return await off_loop(self.reprioritise, *ids, priority=priority, **chosen)

    def _change(self, verb: Verb, ids: tuple[str, ...], chosen: Mapping[str, Any]) -> Changed:
        port, how = self._port(), _read_how(chosen)
        where = {name: value for name, value in chosen.items() if name not in _HOW}
        meant = _meant(verb, ids, read_where(where, port.now))
        act = trial(verb) if how.dry_run else verb.act
        batches = _given(ids) if meant is None else _searched(port, meant, where, how)
        changed = Changed()
        for batch in batches:
            records = act(port, batch.ids)
            changed.total += len(records)
            count_done(len(records))
            kept = records if meant is None else records[: MOST_KEPT - len(changed)]
            changed += [Job(record, port) for record in kept]
            changed.next = batch.next
            if meant is not None and how.progress is not None:
                how.progress(BulkProgress(batch.matched, changed.total, batch.next))
        return changed


class _How(NamedTuple):
    """How a verb goes about jobs that filters choose. See `Chosen`."""

    dry_run: bool = False
    progress: Callable[[BulkProgress], object] | None = None
    limit: int | None = None
    after: str | None = None


_HOW = _How._fields


def _read_how(chosen: Mapping[str, Any]) -> _How:
    """How a verb is to go about it. Raises `OptionError`, before anything is changed."""
    check_filter_names(chosen, _HOW)
    how = _How(**{name: chosen[name] for name in _HOW if name in chosen})
    check_flag("dry_run", how.dry_run)
    if how.progress is not None and not callable(how.progress):
        raise OptionError(f"progress={how.progress!r} is not allowed: give a function of one value")
    if how.limit is not None:
        check_limit(how.limit)
    return how


class _Batch(NamedTuple):
    """Jobs that are changed together: how many matched with them, and how to go on."""

    ids: Sequence[str]
    matched: int
    next: str | None


def _given(ids: Sequence[str]) -> Iterator[_Batch]:
    """Jobs that were named."""
    for start in range(0, len(ids), _AT_ONCE):
        yield _Batch(ids[start : start + _AT_ONCE], start, None)


def _searched(
    port: AppPort, meant: Filter, where: Mapping[str, Any], how: _How
) -> Iterator[_Batch]:
    """Jobs that filters choose. What has been changed is not looked for again."""
    before, matched = read_cursor(how.after, where), 0
    most = how.limit
    if how.dry_run:
        most = _MOST_TRIED if most is None else min(most, _MOST_TRIED)
    while most is None or matched < most:
        wanted = _AT_ONCE if most is None else min(_AT_ONCE, most - matched)
        found = port.store().search(meant, wanted, before)
        matched += len(found.ids)
        before = found.after
        going_on = None if before is None else write_cursor(before, where)
        yield _Batch(found.ids, matched, going_on)
        if before is None:
            return


def trial(verb: Verb) -> Act:
    """What says which of some jobs a verb would change."""

    def act(port: AppPort, ids: Sequence[str]) -> list[JobRecord]:
        found = port.store().records(ids)
        return [job for job in found if job.state in verb.states and not verb.spares(job)]

    return act


def _meant(verb: Verb, ids: Collection[str], meant: Filter) -> Filter | None:
    """Returns the filter, or None for ids. Raises `OptionError` for neither or both."""
    if ids and meant != EVERYTHING:
        raise OptionError(f"{verb.name}: give ids or filters, not both")
    if ids:
        for one in ids:
            check_text("job id", one)
        return None
    if meant == EVERYTHING:
        raise OptionError(
            f"{verb.name}: neither ids nor filters are given, so no job is meant: give ids, or "
            f"filters such as task='...'; for all jobs in a state give state='...'"
        )
    if meant.states is None:
        return meant._replace(states=verb.meant)
    if meant.states and verb.states.isdisjoint(meant.states):
        named = ", ".join(meant.states)
        able = ", ".join(state for state in State if state in verb.states)
        raise OptionError(f"{verb.name} changes no job that is {named}, only: {able}")
    return meant


def _cancel(port: AppPort, ids: Sequence[str]) -> list[JobRecord]:
    return port.store().cancel(ids)


def _send_back(port: AppPort, ids: Sequence[str]) -> list[JobRecord]:
    back = port.store().retry(ids)
    port.outbox_relay.send_again(back)
    return back


def _delete(port: AppPort, ids: Sequence[str]) -> list[JobRecord]:
    return port.store().delete(ids)


def _is_step(job: JobRecord) -> bool:
    return job.run is not None and job.run != job.id


def _nothing(_: JobRecord) -> bool:
    return False


CANCEL = Verb("cancel", LIVE, LIVE, _cancel, _nothing)
RETRY = Verb("retry", RETRYABLE, RETRYABLE - {State.CANCELLED}, _send_back, _nothing)
DELETE = Verb("delete", ENDED, ENDED, _delete, _is_step)
