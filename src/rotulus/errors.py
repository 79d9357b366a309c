"""Every error Rotulus raises, in one tree; each message says what is wrong and what to do.

RotulusError
├── TaskError                      about a task: its declaration, its registration, a call of it
│   ├── ConfigurationError         the program is wired wrongly: never retried, refuses to boot
│   │   ├── TaskRegistrationError  a task could not be registered or scheduled
│   │   │   ├── DuplicateTaskError     two tasks want one name          (also a ValueError)
│   │   │   └── RegistryFrozenError    the registry is serving and no longer changes
│   │   ├── TaskNotFoundError      no task of that name             (also KeyError, ValueError)
│   │   ├── OptionError            an option has a value that is not allowed (also a ValueError)
│   │   ├── InjectionError         a parameter that cannot be filled
│   │   ├── CipherError            values that cannot be encrypted, or decrypted, here
│   │   ├── WorkflowError          steps that do not make a workflow     (also a ValueError)
│   │   │   └── StepNotFoundError      no step of that id
│   │   └── NoAppError             a task was enqueued and no app is open for it
│   ├── ArgumentsError             a call does not fit its task      (also TypeError, ValueError)
│   └── ResultError                a result does not fit its task     (also TypeError, ValueError)
├── JobError                       about one durable job
│   ├── JobNotFoundError           no job has that id                (also a KeyError)
│   ├── JobFailedError             a result was asked for and there is none (also a RuntimeError)
│   ├── JobUnfinishedError         a result was asked for too early  (also a RuntimeError)
│   ├── JobLostError               the process that was to run it has ended
│   ├── JobConflictError           a job is not as it was seen, or has begun, and is not changed
│   ├── JobNotRunningError         a running job's verb was used on a job that is not running
│   │   └── HandleConsumedError        a step has returned, its handle is over (also a ValueError)
│   └── ResultTimeoutError         the result did not come in time   (also a TimeoutError)
├── GroupError                     about one group of jobs
│   ├── GroupNotFoundError         no group has that name           (also a KeyError)
│   └── GroupClosedError           a closed group takes no more jobs
├── ScheduleError                  about one schedule of the store
│   ├── ScheduleNotFoundError      no schedule has that name         (also a KeyError)
│   └── ScheduleConflictError      the name is taken, or it is not this door's to change
├── AccessTokenError               about one token of a service
│   ├── AccessTokenNotFoundError   no token has that name            (also a KeyError)
│   └── AccessTokenConflictError   its name is taken
├── WebhookError                   about one webhook
│   ├── WebhookNotFoundError       no webhook has that name          (also a KeyError)
│   ├── WebhookConflictError       its name is taken, or it has changed meanwhile
│   ├── SignatureError             a message does not come from who signs it
│   └── DeliveryError              a message did not arrive
│       ├── AddressRefusedError        its receiver is at an address that is not public
│       └── ReceiverGoneError          its receiver says that it is gone
├── ArtifactError                  an artifact cannot be saved or shown so (also a ValueError)
│   └── ArtifactNotFoundError      no artifact has that id           (also a KeyError)
├── ContextError                   a value cannot be in a context        (also a ValueError)
├── SchedulerClosedError           a scheduler was used after close()    (also a RuntimeError)
├── EventLoopError                 a call that needs a loop of its own, made on a running one
├── IsolationError                 the process that forks those of isolated tasks was killed
├── ThreadNotStartedError          the system refused to start a thread
├── TokenError                     a push does not come from the right service account
├── WorkerNotFoundError            no live worker has that name      (also a KeyError)
├── WorkerStuckError               a worker has ended because too many bodies did not stop
└── StoreError                     about the place where jobs live
    ├── StoreUnavailableError      the store cannot be reached or opened
    │   └── StoreCapacityError         the store has no connection left
    ├── StoreReadOnlyError         the store can be read and not written
    ├── StoreBusyError             another process held the store for too long
    ├── StoreFullError             the store has no room left
    ├── StoreRefusedError          the store refuses a row
    ├── StoreClosedError           the store was used after close()
    └── SchemaError                the tables of the store are not of this version

`RotulusWarning`, a `UserWarning`, reports code that is allowed and probably a mistake.
"""

from collections.abc import Sequence

__all__ = [
    "AccessTokenConflictError",
    "AccessTokenError",
    "AccessTokenNotFoundError",
    "AddressRefusedError",
    "ArgumentsError",
    "ArtifactError",
    "ArtifactNotFoundError",
    "CipherError",
    "ConfigurationError",
    "ContextError",
    "DeliveryError",
    "DuplicateTaskError",
    "EventLoopError",
    "GroupClosedError",
    "GroupError",
    "GroupNotFoundError",
    "HandleConsumedError",
    "InjectionError",
    "IsolationError",
    "JobConflictError",
    "JobError",
    "JobFailedError",
    "JobLostError",
    "JobNotFoundError",
    "JobNotRunningError",
    "JobUnfinishedError",
    "NoAppError",
    "OptionError",
    "ReceiverGoneError",
    "RegistryFrozenError",
    "ResultError",
    "ResultTimeoutError",
    "RotulusError",
    "RotulusWarning",
    "ScheduleConflictError",
    "ScheduleError",
    "ScheduleNotFoundError",
    "SchedulerClosedError",
    "SchemaError",
    "SignatureError",
    "StepNotFoundError",
    "StoreBusyError",
    "StoreCapacityError",
    "StoreClosedError",
    "StoreError",
    "StoreFullError",
    "StoreReadOnlyError",
    "StoreRefusedError",
    "StoreUnavailableError",
    "TaskError",
    "TaskNotFoundError",
    "TaskRegistrationError",
    "ThreadNotStartedError",
    "TokenError",
    "WebhookConflictError",
    "WebhookError",
    "WebhookNotFoundError",
    "WorkerNotFoundError",
    "WorkerStuckError",
    "WorkflowError",
]


class RotulusError(Exception):
    """The base of every error of this package. Catch it to catch them all."""


class _PlainKeyError(KeyError):
    """A `KeyError` that says its message as it is, and not in quotes."""

    def __str__(self) -> str:
        return str(self.args[0])


class RotulusWarning(UserWarning):
    """Something is allowed and probably a mistake. The warning is shown at the caller's line."""


class TaskError(RotulusError):
    """Something about a task: how it is declared, registered or called."""


class ConfigurationError(TaskError):
    """The program is wired wrongly. It is never retried; an app refuses to boot with it."""


class TaskRegistrationError(ConfigurationError):
    """A task could not be registered or scheduled; registry and schedule are as they were."""


class DuplicateTaskError(TaskRegistrationError, ValueError):
    """Two different functions want the same task name. The message shows both places."""


class TaskNotFoundError(ConfigurationError, _PlainKeyError, ValueError):
    """No task of that name is registered.

    It is a `KeyError` for code that looks names up, a `ValueError` for code that executes by name.
    """

    def __init__(self, message: str, name: str) -> None:
        super().__init__(message)
        self.name = name


class RegistryFrozenError(TaskRegistrationError):
    """An app serves this registry, so its names no longer change."""


class OptionError(ConfigurationError, ValueError):
    """An option has a value that is not allowed: a name, a cron expression, a zone, a setting."""


class InjectionError(ConfigurationError):
    """A parameter is neither JSON nor provided."""


class CipherError(ConfigurationError):
    """Values of a job cannot be encrypted, or decrypted, by this process. Nothing was changed."""


class WorkflowError(ConfigurationError, ValueError):
    """Steps do not make a workflow, or there is no workflow of that name."""


class StepNotFoundError(WorkflowError):
    """A workflow has no step of that id."""


class NoAppError(ConfigurationError):
    """A task was enqueued and no `App` is open for its registry."""


class ArgumentsError(TaskError, TypeError, ValueError):
    """A call does not fit its task. `problems` holds every problem of it, one sentence each."""

    def __init__(self, message: str, problems: Sequence[str]) -> None:
        super().__init__(message)
        self.problems = tuple(problems)


class ResultError(TaskError, TypeError, ValueError):
    """The result of a task does not fit its return annotation, or cannot be stored."""


class JobError(RotulusError):
    """Something about one durable job."""


class JobNotFoundError(JobError, _PlainKeyError):
    """No job has that id, or several ids begin so: it was never added here, or it was pruned."""


class JobFailedError(JobError, RuntimeError):
    """The result of a job was asked for, and the job ended without one.

    `state` is the state it ended in, `reason` the word stored with it, and `traceback` that of
    its last attempt, or "".
    """

    def __init__(
        self, message: str, *, state: str, reason: str | None, traceback: str = ""
    ) -> None:
        super().__init__(message)
        self.state = state
        self.reason = reason
        self.traceback = traceback


class JobUnfinishedError(JobError, RuntimeError):
    """The result of a spawned job was asked for, and the job has not returned."""


class JobLostError(JobError):
    """A spawned job cannot be run: the process, or the event loop, that had it has ended."""


class JobConflictError(JobError):
    """A job has begun or ended, or somebody has changed it meanwhile. Nothing was changed."""


class JobNotRunningError(JobError):
    """A verb of a running job was used on a job that does not run here."""


class HandleConsumedError(JobNotRunningError, ValueError):
    """The step of a handle has returned: use a handle in its step only."""


class ResultTimeoutError(JobError, TimeoutError):
    """The job had not ended when the time to wait for it was over. It is not cancelled."""


class GroupError(RotulusError):
    """Something about one group of jobs: it is not open here, or it is another one."""


class GroupNotFoundError(GroupError, _PlainKeyError):
    """No group has that name."""


class GroupClosedError(GroupError):
    """A group takes no more jobs: it was closed or cancelled, or it has ended."""


class ScheduleError(RotulusError):
    """Something about one schedule of the store."""


class ScheduleNotFoundError(ScheduleError, _PlainKeyError):
    """No schedule has that name."""


class ScheduleConflictError(ScheduleError):
    """A schedule is as it was: its name is taken, it stands in the code, or it has changed."""


class AccessTokenError(RotulusError):
    """Something about one token by which a service knows its callers."""


class AccessTokenNotFoundError(AccessTokenError, _PlainKeyError):
    """No token has that name."""


class AccessTokenConflictError(AccessTokenError):
    """A token cannot be added: its name is taken."""


class WebhookError(RotulusError):
    """Something about one webhook, or about a message of it."""


class WebhookNotFoundError(WebhookError, _PlainKeyError):
    """No webhook has that name."""


class WebhookConflictError(WebhookError):
    """A webhook cannot be changed so: its name is taken, or it has changed. Nothing was changed."""


class SignatureError(WebhookError):
    """A message does not come from who signs it, was changed on its way, or is too old."""


class DeliveryError(WebhookError):
    """A message did not arrive: there was no answer, or one that does not say that it did."""


class AddressRefusedError(DeliveryError):
    """A receiver is at an address that is not public, and in no network that is allowed."""


class ReceiverGoneError(DeliveryError):
    """A receiver says that it is gone, with 410: its webhook is paused."""


class ArtifactError(RotulusError, ValueError):
    """An artifact cannot be saved as asked, or is too large to be shown whole."""


class ArtifactNotFoundError(ArtifactError, _PlainKeyError):
    """No artifact has that id: it was never saved here, or it has been deleted."""


class ContextError(RotulusError, ValueError):
    """A value cannot be in a context: it is not plain JSON, or its key is no string or taken."""


class SchedulerClosedError(RotulusError, RuntimeError):
    """A scheduler of background jobs was used after it was closed."""


class EventLoopError(RotulusError):
    """A call that runs an event loop of its own was made on one that runs: await its async form."""


class IsolationError(RotulusError):
    """The process that forks those of isolated tasks was killed, so its worker has stopped."""


class ThreadNotStartedError(RotulusError):
    """The system refused to start a thread. Nothing was begun in its place: try again."""


class TokenError(RotulusError):
    """A push does not come from the right sender: its OIDC token is missing or wrong."""


class WorkerNotFoundError(RotulusError, _PlainKeyError):
    """No worker of that name is alive."""


class WorkerStuckError(RotulusError):
    """A worker has stopped, because too many bodies did not stop when they were told to."""


class StoreError(RotulusError):
    """Something about the place where jobs live."""


class StoreUnavailableError(StoreError):
    """The store cannot be reached, opened or read."""


class StoreCapacityError(StoreUnavailableError):
    """The store has no connection left: all are in use, here or by others. Try again later."""


class StoreReadOnlyError(StoreError):
    """The store can be read and not written."""


class StoreBusyError(StoreError):
    """Another process held the store for longer than we were ready to wait."""


class StoreFullError(StoreError):
    """The store has no room left. Nothing was written."""


class StoreRefusedError(StoreError):
    """The store works and refuses a row: a constraint is against it."""


class StoreClosedError(StoreError):
    """The store was used after it was closed."""


class SchemaError(StoreError):
    """The store's tables are older or newer than this version of Rotulus."""
