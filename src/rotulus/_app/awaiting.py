"""What a part of a run waits for, or why it was skipped, in sentences."""

from collections import Counter
from collections.abc import Iterable

from rotulus._jobs.outcome import read_error
from rotulus._jobs.record import JobRecord
from rotulus._jobs.states import ENDED, Reason, State
from rotulus._workflows.paths import split_path
from rotulus._workflows.rules import Need
from rotulus.store import Filter, Store

_MOST_NEEDS = 1000
_NAMED = 5


def awaited(store: Store, job: JobRecord) -> list[str]:
    """Why a job is blocked."""
    paused = [
        f"Its run is paused, and begins no further step: rotulus resume --run {job.run}."
    ] * job.paused
    if not job.waits_for:
        return paused or ["It waits for other jobs to end."]
    return [*paused, _parts(store, job) if job.opened else _needs(store, job)]


def skipping(store: Store, job: JobRecord) -> str:
    """Why a job was skipped."""
    needs = _needed(store, job)
    if job.reason == Reason.NEED_FAILED:
        return f"It was skipped, because {_culprit(store, needs)}."
    ended = ", ".join(f"{_name(need)} {need.state}" for need in needs)
    return f"It was skipped, because its trigger rule did not hold: {ended or 'it needs nothing'}."


def _parts(store: Store, job: JobRecord) -> str:
    """How the parts stand that a job was opened into."""
    counts = store.count("step", job.run, job.step or "")
    states = Counter[State]()
    for count in counts:
        states[count.state] += count.jobs
    ended = sum(count for state, count in states.items() if state.ended)
    how = ", ".join(f"{states[state]} {state}" for state in State if states[state])
    live = [f"{count.group} ({count.state})" for count in counts if not count.state.ended]
    return (
        f"It is made of {states.total()} parts, of which {ended} have ended ({how}). It waits for "
        f"{_some(sorted(live, key=_liveliest))}."
    )


def _liveliest(text: str) -> int:
    """Those that run before those that wait."""
    order = (State.RUNNING, State.QUEUED, State.DELAYED, State.BLOCKED)
    return next(place for place, state in enumerate(order) if text.endswith(f"({state})"))


def _needs(store: Store, job: JobRecord) -> str:
    needs = _needed(store, job)
    live = [f"{_name(need)} ({need.state})" for need in needs if need.state not in ENDED]
    return f"It waits for {_some(live)}: {len(live)} of the {len(needs)} steps that it needs."


def _culprit(store: Store, needs: Iterable[JobRecord]) -> str:
    """Which need went wrong; and if that was skipped, because of which one."""
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


def _name(need: JobRecord) -> str:
    return repr(need.step)


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{more}"
