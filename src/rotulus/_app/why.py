"""Explains the state of a job: what it waits for in the end, or how it ended."""

from collections.abc import Callable, Iterable
from datetime import datetime

from rotulus._app.awaiting import leaves, name, skipping, summary
from rotulus._app.claimable import Claimable
from rotulus._app.explanation import Explanation, Kind
from rotulus._jobs.encrypted import UNREADABLE, is_encrypted
from rotulus._jobs.outcome import read_error
from rotulus._jobs.record import JobRecord, moment
from rotulus._jobs.states import ENDED, LIVE, RETRYABLE, Reason, State, awaited
from rotulus._text.words import clock_time, many, span
from rotulus._workflows.paths import split_path
from rotulus._workflows.stored import read
from rotulus.store import Filter, Store

_DEEPEST = 8
"""How many jobs are followed, each of which waits for the next."""


class Explainer:
    """Explains how jobs of a store stand.

    Args:
        store: the store.
        knows: whether a task of that name is registered here.
        now: the clock.
    """

    def __init__(
        self, store: Store, knows: Callable[[str], bool], now: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._now = now
        self._claimable = Claimable(store, knows, now)

    def explain(self, job: JobRecord) -> list[Explanation]:
        """Returns why the job stands as it does, the main reason first."""
        return self._explain(job, ())

    def _explain(self, job: JobRecord, above: tuple[str, ...]) -> list[Explanation]:
        """The same, for a job that others wait for, which are not followed again."""
        if job.state in ENDED:
            return self._ended(job)
        if job.state == State.RUNNING:
            return self._running(job, above)
        if job.state == State.BLOCKED:
            return self._blocked(job, above)
        if job.state == State.DELAYED and moment(job.run_at) > self._now():
            return [self._delayed(job), *self._claimable.lasting(job), *self._expiry(job)]
        return [*self._claimable.explain(job), *self._expiry(job)]

    def _ended(self, job: JobRecord) -> list[Explanation]:
        if job.state == State.SKIPPED and job.run is not None:
            return [Explanation(Kind.SKIPPED, job.id, skipping(self._store, job))]
        others = self._key_holder(job)
        sendable = not any(other.state in LIVE for other in others)
        held = [Explanation(Kind.KEY_HELD, job.id, _held(job, o), (o.id,)) for o in others]
        return [Explanation(Kind.ENDED, job.id, _end(job, sendable=sendable)), *held]

    def _key_holder(self, job: JobRecord) -> list[JobRecord]:
        """The job that has the key of one that somebody might want to send back, or of its run."""
        if job.state not in RETRYABLE:
            return []
        head = job if job.run is None else self._store.get(job.run) or job
        if head.key is None:
            return []
        live = self._store.find(Filter(states=LIVE, key=head.key), 1)
        latest = live or self._store.find(Filter(key=head.key), 1)
        return [other for other in latest if other.id != head.id]

    def _running(self, job: JobRecord, above: tuple[str, ...]) -> list[Explanation]:
        since = moment(job.started_at or job.run_at)
        text = f"It has been running for {span(self._now() - since)} on worker {job.worker}"
        if job.cancel_requested:
            text += ", and is asked to stop; a plain function stops when it looks."
            return [Explanation(Kind.CANCELLING, job.id, text)]
        if job.reason == Reason.DEFERRED:
            text += ", without a slot: it looks again and again whether it can go on."
            return [Explanation(Kind.DEFERRED, job.id, text)]
        if waiting := self._awaiting(job, text, above):
            return waiting
        return [Explanation(Kind.RUNNING, job.id, f"{text}, attempt {job.attempt}.")]

    def _awaiting(self, job: JobRecord, text: str, above: tuple[str, ...]) -> list[Explanation]:
        """Returns why another job has not ended, whose result a running job waits for."""
        awaited_id = awaited(job.reason)
        other = None if awaited_id is None else self._store.get(awaited_id)
        if other is None or other.state in ENDED:
            return []
        text += f", and waits within its task for the result of {other.task} {other.id}"
        what = Explanation(Kind.AWAITS, job.id, f"{text} ({other.state}).", (other.id,))
        if other.id in above or len(above) >= _DEEPEST:
            return [what]
        first, *more = self._explain(other, (*above, job.id))
        said = f"{text}: {_lower(first.text)}"
        return [what._replace(text=said), *_under(f"{other.task} {other.id}", more)]

    def _blocked(self, job: JobRecord, above: tuple[str, ...]) -> list[Explanation]:
        """Returns why another job has not ended, which a blocked job waits for in the end."""
        paused: list[Explanation] = []
        if job.paused:
            text = f"Its run is paused, and begins no further step: rotulus resume --run {job.run}."
            paused = [Explanation(Kind.RUN_PAUSED, job.id, text)]
        if not job.waits_for:
            text = "It is blocked, and waits for nothing: the next look of a worker mends it."
            return paused or [Explanation(Kind.ADRIFT, job.id, text)]
        kind = Kind.PARTS if job.opened else Kind.NEEDS
        below = self._below(job, above)
        text = summary(self._store, job, named=bool(below))
        return [*paused, *below, Explanation(kind, job.id, text), *_to_be_skipped(job)]

    def _below(self, job: JobRecord, above: tuple[str, ...]) -> list[Explanation]:
        """Returns the reasons of the jobs that it waits for: one of each, all of the first."""
        rest: list[Explanation] = []
        heads: list[Explanation] = []
        for leaf in leaves(self._store, job)[: 1 if above else None]:
            found = leaf if leaf.limit_key is None else self._store.get(leaf.id) or leaf
            first, *more = self._explain(found, (*above, job.id))
            heads.append(first._replace(text=f"It waits for {name(leaf)}: {_lower(first.text)}"))
            rest = rest or list(_under(name(leaf), more))
        return [*heads, *rest]

    def _delayed(self, job: JobRecord) -> Explanation:
        at = moment(job.run_at)
        when = f"it is due in {span(at - self._now())}, at {clock_time(at)}"
        match job.reason:
            case Reason.RETRY:
                error = read_error(job.error)
                kind, text = Kind.RETRY, f"Attempt {job.attempt} failed ({error}); {when}."
            case Reason.SNOOZE:
                kind, text = Kind.SNOOZE, f"Its task asked to be run later; {when}."
            case Reason.UNREADABLE:
                text = f"Worker {job.worker} left it to others, as {UNREADABLE}; {when}."
                kind = Kind.UNREADABLE
            case Reason.LOST:
                kind, text = Kind.LOST, f"Its worker died {many(job.losses, 'time')}; {when}."
            case _:
                kind, text = Kind.LATER, f"It was enqueued for later; {when}."
        return Explanation(kind, job.id, text)

    def _expiry(self, job: JobRecord) -> list[Explanation]:
        if job.expires_at is None:
            return []
        at = moment(job.expires_at)
        if at <= self._now():
            text = f"It expired at {clock_time(at)}: a worker that takes it gives it up as "
        else:
            text = (
                f"It expires in {span(at - self._now())}, at {clock_time(at)}: unless it has been "
                f"started by then, it ends "
            )
        return [Explanation(Kind.EXPIRES, job.id, f"{text}dead({Reason.EXPIRED}).")]


def _to_be_skipped(job: JobRecord) -> list[Explanation]:
    """Returns that a step is skipped when its turn comes, if somebody has said so."""
    if (
        job.workflow is None
        or is_encrypted(job.arguments)
        or not read(job.arguments, split_path(job.step)[1]).skip
    ):
        return []
    text = "An operator or a program has skipped it: it is not run when its turn comes."
    return [Explanation(Kind.SKIPPED, job.id, text)]


def _end(job: JobRecord, *, sendable: bool) -> str:
    reason = f" ({job.reason})" if job.reason else ""
    how = "was given up as dead" if job.state == State.DEAD else State(job.state).words
    text = f"It {how}{reason} at {clock_time(moment(job.ended_at or job.run_at))}"
    error = read_error(job.error) if job.state != State.SUCCEEDED else None
    if error is None:
        return f"{text}."
    back = f" Send it back with: rotulus retry {job.id}" if sendable else ""
    return f"{text}, in attempt {job.attempt}: {error.in_full}.{back}"


def _held(job: JobRecord, other: JobRecord) -> str:
    """Returns why a job is not sent back while another one has its key, or that of its run."""
    key = f"{'The key of its run' if job.step else 'Its key'} {other.key!r}"
    if other.state in LIVE:
        return (
            f"{key} is held by job {other.id} ({other.state}): it cannot be sent back before that "
            f"one has ended."
        )
    return (
        f"{key} was given to job {other.id} ({other.state}) since: if that one has a window, it "
        f"cannot be sent back before the window is over."
    )


def _under(whose: str, found: Iterable[Explanation]) -> Iterable[Explanation]:
    """Returns the sentences about another job, with its name."""
    return (one._replace(text=f"Of {whose}: {_lower(one.text)}") for one in found)


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
