"""Events: frozen records of everything that happens, and the one place that emits them.

Subscribe to log, count or trace; nothing in the engine formats a log line. An event that nobody
subscribed to is not even made: the engine asks `wants` first where it matters.
"""

from typing import Any

from rotulus._warnings import warn_caller
from rotulus.events.attempts import (
    AttemptFailed,
    AttemptStarted,
    AttemptSucceeded,
    BodyStuck,
    CallbackFailed,
    ConditionFailed,
    DefinitionChanged,
    LeaseLost,
    MiddlewareFailed,
    OutcomeRefused,
    ProgressReported,
    ResultAwaited,
)
from rotulus.events.duties import (
    DutyFailed,
    JobsMended,
    JobsPruned,
    JobsPublished,
    JobsRescued,
    LogsNotKept,
    PublishFailed,
    ScheduleFired,
    ScheduleSkipped,
    StoreFailed,
    StoreMigrated,
    StoreRecovered,
    WebhookMissed,
    WebhookPaused,
)
from rotulus.events.event import (
    Event,
    Events,
    ListenerFailed,
)
from rotulus.events.pushes import PushAnswered
from rotulus.events.workers import (
    ForkServerStarted,
    ProcessDelayed,
    ProcessEnded,
    ProcessNotStarted,
    ProcessSilent,
    ProcessStarted,
    ProcessStuck,
    ThreadNotStarted,
    WorkerDraining,
    WorkerRetiring,
    WorkerStarted,
    WorkerStopped,
)

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
    "ForkServerStarted",
    "JobsMended",
    "JobsPruned",
    "JobsPublished",
    "JobsRescued",
    "LeaseLost",
    "ListenerFailed",
    "MiddlewareFailed",
    "OutcomeRefused",
    "ProcessDelayed",
    "ProcessEnded",
    "ProcessNotStarted",
    "ProcessSilent",
    "ProcessStarted",
    "ProcessStuck",
    "ProgressReported",
    "PublishFailed",
    "PushAnswered",
    "ResultAwaited",
    "ScheduleFired",
    "ScheduleSkipped",
    "StoreFailed",
    "StoreMigrated",
    "LogsNotKept",
    "StoreRecovered",
    "ThreadNotStarted",
    "WebhookMissed",
    "WebhookPaused",
    "WorkerDraining",
    "WorkerRetiring",
    "WorkerStarted",
    "WorkerStopped",
]

_RENAMED = {"NurseryStarted": "ForkServerStarted"}
"""Events by the names that they had before."""


def __getattr__(name: str) -> Any:
    if name not in _RENAMED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    warn_caller(f"rotulus.events.{name} is called {_RENAMED[name]} now", DeprecationWarning)
    return globals()[_RENAMED[name]]
