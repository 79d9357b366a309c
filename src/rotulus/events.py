"""What happens, as frozen records, and the one place they are emitted through.

Subscribe to log, count or trace; nothing in the engine formats a log line. An event that nobody
subscribed to is not even made: the engine asks `wants` first where it matters.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from rotulus._jobs.job import Progress
from rotulus._jobs.outcome import ErrorInfo, Outcome
from rotulus._jobs.record import JobRecord

__all__ = [
    "AttemptFailed",
    "AttemptStarted",
    "AttemptSucceeded",
    "BodyStuck",
    "CallbackFailed",
    "ConditionFailed",
    "DefinitionChanged",
    "DutyFailed",
    "Event",
    "Events",
    "JobsMended",
    "JobsPruned",
    "JobsPublished",
    "JobsRescued",
    "LeaseLost",
    "ListenerFailed",
    "NurseryStarted",
    "OutcomeRefused",
    "ProcessDelayed",
    "ProcessEnded",
    "ProcessNotStarted",
    "ProcessSilent",
    "ProcessStarted",
    "ProcessStuck",
    "ProgressReported",
    "PublishFailed",
    "ResultAwaited",
    "ScheduleFired",
    "StoreFailed",
    "StoreMigrated",
    "StoreRecovered",
    "ThreadNotStarted",
    "WorkerDraining",
    "WorkerRetiring",
    "WorkerStarted",
    "WorkerStopped",
]


class AttemptStarted(NamedTuple):
    """A worker begins to run a job."""

    job: JobRecord


class ProgressReported(NamedTuple):
    """A task that runs here and now, by `App.run`, says how far it has got."""

    job: JobRecord
    progress: Progress


class AttemptSucceeded(NamedTuple):
    """A task returned, after so many seconds."""

    job: JobRecord
    outcome: Outcome
    seconds: float


class AttemptFailed(NamedTuple):
    """An attempt came to anything else: retried, failed, dead, cancelled or given back.

    `error` is the exception that its task raised, with the traceback from the task on. It is None
    when there was none, and when the task ran in a process of its own: then `outcome.error` has the
    same as text. Do not keep it: it keeps alive what the frames of the task refer to.
    """

    job: JobRecord
    outcome: Outcome
    seconds: float
    error: BaseException | None = None


class CallbackFailed(NamedTuple):
    """The `on_success` or the `on_failure` of a step raised; the step is as it was."""

    job: JobRecord
    callback: str
    error: ErrorInfo


class ConditionFailed(NamedTuple):
    """The condition of a step that is deferred raised; it counts as one that does not hold."""

    job: JobRecord
    error: ErrorInfo


class DefinitionChanged(NamedTuple):
    """A step needs something else now than when its run began, and is run as the run began."""

    job: JobRecord
    stored: tuple[str, ...]
    declared: tuple[str, ...]


class OutcomeRefused(NamedTuple):
    """The store did not take an outcome: another attempt has begun, or the job has ended."""

    job_id: str
    attempt: int


class ResultAwaited(NamedTuple):
    """A task waits for the result of another job and keeps its slot; told once for each task.

    When all slots are taken by jobs that wait like that, nothing runs what they wait for.
    """

    job: JobRecord
    awaited: str


class LeaseLost(NamedTuple):
    """A job that runs here belongs to somebody else by now; its body is told to stop."""

    job_id: str
    attempt: int


class BodyStuck(NamedTuple):
    """A body was told to stop and did not. Its slot is free again; it runs on in the process."""

    job: JobRecord
    reason: str


class NurseryStarted(NamedTuple):
    """The process that forks those of isolated tasks has started.

    `threads` are those that ran beside it in the worker's process: a lock that one of them held
    then stays locked in isolated tasks.
    """

    pid: int
    threads: Sequence[str]


class WorkerStarted(NamedTuple):
    """A worker is ready to claim."""

    worker: str
    queues: tuple[str, ...] | None
    slots: int


class WorkerDraining(NamedTuple):
    """A worker claims no more and finishes what it runs, for so many seconds at most."""

    worker: str
    running: int
    seconds: float


class WorkerRetiring(NamedTuple):
    """A worker has run as many jobs, or grown as large, as it may: it claims no more, and ends."""

    worker: str
    reason: str


class WorkerStopped(NamedTuple):
    """A worker has stopped, after so many attempts; `released` of them were given back."""

    worker: str
    attempts: int
    released: int


class ProcessStarted(NamedTuple):
    """A supervisor started a worker process."""

    worker: str
    pid: int


class ProcessEnded(NamedTuple):
    """A worker process ended, after so many seconds.

    `code` is its exit code, or minus the signal that killed it.
    """

    worker: str
    pid: int
    code: int
    seconds: float


class ProcessDelayed(NamedTuple):
    """As many processes in a row died young: another one is started after so many seconds."""

    deaths: int
    seconds: float


class ProcessNotStarted(NamedTuple):
    """The system refused to start a process; it will be tried again."""

    error: Exception


class ProcessSilent(NamedTuple):
    """A process is alive and gets no turn: something in it holds the interpreter.

    The supervisor has renewed the leases of these jobs for it.
    """

    worker: str
    pid: int
    jobs: Sequence[JobRecord]


class ProcessStuck(NamedTuple):
    """A process did not end in time, and is killed."""

    worker: str
    pid: int


class ScheduleFired(NamedTuple):
    """An instant of a schedule became a job."""

    schedule: str
    instant: datetime
    job_id: str


class JobsRescued(NamedTuple):
    """Jobs whose worker had died were taken back."""

    jobs: Sequence[JobRecord]


class JobsMended(NamedTuple):
    """Jobs that waited for what had ended long ago were mended: a fault, and the table is whole."""

    jobs: Sequence[JobRecord]


class JobsPruned(NamedTuple):
    """Old jobs were deleted."""

    jobs: int


class StoreMigrated(NamedTuple):
    """The store's tables were brought up to this version."""

    url: str
    migrations: Sequence[str]


class JobsPublished(NamedTuple):
    """Messages were published that say that jobs are due, to who runs them."""

    jobs: list[JobRecord]


class PublishFailed(NamedTuple):
    """Messages of jobs could not be published, and will be tried again; `error`, if it is known."""

    jobs: list[JobRecord]
    error: Exception | None


class StoreFailed(NamedTuple):
    """The store refused something, which will be tried again."""

    doing: str
    error: Exception


class StoreRecovered(NamedTuple):
    """The store works again after failing."""

    doing: str


class DutyFailed(NamedTuple):
    """A background duty raised; it will be tried again."""

    duty: str
    error: Exception


class ListenerFailed(NamedTuple):
    """A subscriber raised while it was told of an event; the others were told all the same."""

    listener: Callable[[Any], None]
    error: Exception


class ThreadNotStarted(NamedTuple):
    """The system refuses to start a thread for a worker; what was to run in it waits."""

    worker: str
    error: Exception


Event = (
    AttemptFailed
    | AttemptStarted
    | AttemptSucceeded
    | BodyStuck
    | CallbackFailed
    | ConditionFailed
    | DefinitionChanged
    | DutyFailed
    | JobsMended
    | JobsPruned
    | JobsPublished
    | JobsRescued
    | LeaseLost
    | ListenerFailed
    | NurseryStarted
    | OutcomeRefused
    | ProcessDelayed
    | ProcessEnded
    | ProcessNotStarted
    | ProcessSilent
    | ProcessStarted
    | ProcessStuck
    | ProgressReported
    | PublishFailed
    | ResultAwaited
    | ScheduleFired
    | StoreFailed
    | StoreMigrated
    | StoreRecovered
    | ThreadNotStarted
    | WorkerDraining
    | WorkerRetiring
    | WorkerStarted
    | WorkerStopped
)
"""Something that happened."""

Listener = Callable[[Any], None]


class Events:
    """Who wants to know of what."""

    def __init__(self) -> None:
        self._listeners: dict[type[Event], tuple[Listener, ...]] = {}

    def subscribe(self, listener: Listener, *kinds: type[Event]) -> Callable[[], None]:
        """Call a function with every event of some kinds, in the thread where it happens.

        Returns:
            A function that ends the subscription.
        """
        for kind in kinds:
            self._listeners[kind] = (*self._listeners.get(kind, ()), listener)

        def unsubscribe() -> None:
            for kind in kinds:
                others = tuple(x for x in self._listeners.get(kind, ()) if x is not listener)
                self._listeners[kind] = others

        return unsubscribe

    def wants(self, kind: type[Event]) -> bool:
        """Whether anybody listens to this kind."""
        return bool(self._listeners.get(kind))

    def emit(self, event: Event) -> None:
        """Tell everybody who wants to know. A listener that raises disturbs nobody."""
        for listener in self._listeners.get(type(event), ()):
            try:
                listener(event)
            except Exception as error:  # noqa: BLE001 - a subscriber may raise anything
                if not isinstance(event, ListenerFailed):
                    self.emit(ListenerFailed(listener, error))
