"""Explains a step that is blocked or skipped: which needs it waits for, or why it does not run."""

import shlex
from collections import Counter
from collections.abc import Iterable

from rotulus._jobs.grouped import group_name, is_group
from rotulus._jobs.outcome import read_error
from rotulus._jobs.record import JobRecord
from rotulus._jobs.states import ENDED, Reason, State
from rotulus._text.words import some
from rotulus._workflows.paths import is_branch, split_path
from rotulus._workflows.trigger import Need
from rotulus.store import Count, Filter, Store

_MOST_NEEDS = 1000
_LEAVES = 3
"""How many are told of those that a job waits for in the end."""

_DEEPEST = 200
"""How many steps are followed, each of which waits for the next."""

_LIVELIEST = (State.RUNNING, State.QUEUED, State.DELAYED, State.BLOCKED)
_WAITING = (State.QUEUED, State.DELAYED, State.BLOCKED)


def leaves(store: Store, job: JobRecord) -> list[JobRecord]:
    """Returns a few of the jobs that a blocked one waits for in the end, those that run first.

    They are not blocked themselves, unless the chain of steps is longer than the search goes.
    """
    if job.opened and not job.step:
        return _at_the_front(store, job)
    found: list[JobRecord] = []
    front, seen = [job], {job.id}
    for _ in range(_DEEPEST):
        needs = {need.id: need for need in _live_needs(store, front) if need.id not in seen}
        seen |= needs.keys()
        found += [need for need in needs.values() if need.state != State.BLOCKED]
        front = [need for need in needs.values() if need.state == State.BLOCKED]
        if len(found) >= _LEAVES or not front:
            break
    return sorted(found, key=_order)[:_LEAVES] or front[:1]


def _live_needs(store: Store, jobs: list[JobRecord]) -> list[JobRecord]:
    """Returns jobs that others wait for: a few running ones, and a bounded number of others."""
    ids = [job.id for job in jobs]
    running = store.find(Filter(states=[State.RUNNING], needed_by=ids), _LEAVES)
    return [*running, *store.find(Filter(states=_WAITING, needed_by=ids), _MOST_NEEDS)]


def _at_the_front(store: Store, job: JobRecord) -> list[JobRecord]:
    """Returns the parts of a whole run that run, or would: all of them are what it waits for."""
    found: list[JobRecord] = []
    for state in (State.RUNNING, State.QUEUED, State.DELAYED):
        found += store.find(Filter(states=[state], run=job.run), _LEAVES - len(found))
        if len(found) >= _LEAVES:
            break
    return found


def _order(job: JobRecord) -> int:
    return _LIVELIEST.index(State(job.state))


def summary(store: Store, job: JobRecord, *, named: bool) -> str:
    """Returns how many jobs a blocked job waits for, with their names unless `named`.

    The needs of a step are named in any case: they are not always the last jobs of the chain.
    """
    if is_group(job):
        return _members(store, job)
    return _parts(store, job, named=named) if job.opened else _needs(store, job)


def skipping(store: Store, job: JobRecord) -> str:
    """Returns why a job was skipped."""
    if job.reason == Reason.OPERATOR:
        return (
            "It was skipped by an operator or a program: the steps after it go on, with the "
            "context that it was given."
        )
    needs = _needed(store, job)
    if job.reason == Reason.NEED_FAILED:
        return f"It was skipped, because {_culprit(store, needs)}."
    ended = ", ".join(f"{_name(need)} {need.state}" for need in needs)
    return f"It was skipped, because its trigger rule did not hold: {ended or 'it needs nothing'}."


def _parts(store: Store, job: JobRecord, *, named: bool) -> str:
    """How the parts stand that a job was opened into."""
    counts = store.count("step", job.run, job.step or "")
    branches = all(is_branch(count.group) for count in counts)
    text = _ended(counts, "branches" if branches else "steps")
    if named or branches:
        return text
    live = [f"{count.group} ({count.state})" for count in counts if not count.state.ended]
    return f"{text} It waits for {some(sorted(live, key=_liveliest))}."


def _members(store: Store, job: JobRecord) -> str:
    """How the jobs of a group stand, and whether others may be added."""
    name = group_name(job)
    text = _ended(store.count("step", job.run), f"jobs of group {name!r}")
    if not store.groups.is_open(job.id):
        return text
    return (
        f"{text} It is open: rotulus close {shlex.quote(name)}, or app.group({name!r}).close(), "
        f"lets it end."
    )


def _ended(counts: Iterable[Count], what: str) -> str:
    """Returns how many parts have ended, and how many are in which state."""
    states = Counter[State]()
    for count in counts:
        states[count.state] += count.jobs
    ended = sum(count for state, count in states.items() if state.ended)
    how = ", ".join(f"{states[state]:,} {state}" for state in State if states[state])
    verb = "has" if ended == 1 else "have"
    return f"{ended:,} of {states.total():,} {what} {verb} ended ({how or 'there are none'})."


def _liveliest(text: str) -> int:
    """Returns the running jobs first, and then the waiting ones."""
    return next(place for place, state in enumerate(_LIVELIEST) if text.endswith(f"({state})"))


def _needs(store: Store, job: JobRecord) -> str:
    needs = _needed(store, job)
    live = [f"{_name(need)} ({need.state})" for need in needs if need.state not in ENDED]
    of = f"{len(needs):,}{'+' if len(needs) >= _MOST_NEEDS else ''}"
    return f"It waits for {some(live)}: {len(live):,} of the {of} steps that it needs."


def _culprit(store: Store, needs: Iterable[JobRecord]) -> str:
    """Returns the need that went wrong; if that was skipped, the need that it was skipped for."""
    spoiled = next((need for need in needs if _spoils(need)), None)
    if spoiled is None:  # it has been sent back meanwhile
        return "something it needs did not succeed"
    if spoiled.state == State.SKIPPED:
        return f"{_name(spoiled)} was, because {_culprit(store, _needed(store, spoiled))}"
    error = read_error(spoiled.error)
    return f"{_name(spoiled)} ended {spoiled.state}{f' ({error})' if error else ''}"


def _spoils(need: JobRecord) -> bool:
    state = State(need.state)
    return state.ended and Need(need.step or "", state, need.reason).spoils


def _needed(store: Store, job: JobRecord) -> list[JobRecord]:
    """The steps that a step needs, in the order in which they were added; not its own parts."""
    within, _ = split_path(job.step)
    found = store.find(Filter(needed_by=[job.id]), _MOST_NEEDS)
    return [need for need in reversed(found) if split_path(need.step)[0] == within]


def name(job: JobRecord) -> str:
    """Returns a step, and its job."""
    return f"{job.step!r} (job {job.id})" if job.step else f"job {job.id}"


def _name(need: JobRecord) -> str:
    return repr(need.step)
