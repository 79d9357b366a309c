"""Rotulus: declare a task once; then call it, queue it, schedule it.

Everything public is here; rarer errors are in `rotulus.errors`, events in `rotulus.events`, and
the contract of stores in `rotulus.store`. Each name is imported when it is first used, so a
program pays only for what it takes.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rotulus._app.app import App, current_app
    from rotulus._app.change_stream import ChangeStream
    from rotulus._app.resources.audit import AuditEntry, AuditPage
    from rotulus._app.resources.bulk import BulkProgress, Changed
    from rotulus._app.resources.deliveries import Delivery, DeliveryPage
    from rotulus._app.resources.demand import Demand
    from rotulus._app.resources.failures import FailureGroup
    from rotulus._app.resources.job_count import JobCount
    from rotulus._app.resources.job_counting import AlikeJobs, JobCounts
    from rotulus._app.resources.jobs import AttemptResult
    from rotulus._app.resources.limits import LimitInfo
    from rotulus._app.resources.measures import Measured, Times
    from rotulus._app.resources.mutes import MuteInfo
    from rotulus._app.resources.pages import JobPage
    from rotulus._app.resources.push import PushProcess
    from rotulus._app.resources.push_infos import (
        MissingSetting,
        PushChange,
        PushDifference,
        PushPlace,
        PushPlan,
        PushProblem,
        PushResource,
        PushWanted,
    )
    from rotulus._app.resources.queues import QueueInfo
    from rotulus._app.resources.run_graph import BoxKind, GraphBox, GraphRoute, RunGraph
    from rotulus._app.resources.stats import StatBucket, StatPoint
    from rotulus._app.resources.steps import StepInfo
    from rotulus._app.resources.stored_schedules import ScheduleInfo
    from rotulus._app.resources.timeline import Timeline, TimelineRow
    from rotulus._app.resources.tokens import TokenInfo
    from rotulus._app.resources.webhook_infos import WebhookInfo
    from rotulus._app.ticking import Ticked
    from rotulus._engine.outbox_relay import Carrier, Published
    from rotulus._jobs.encrypted import Cipher
    from rotulus._jobs.group import Group
    from rotulus._jobs.grouped import JobOutcome
    from rotulus._jobs.job import Attempt, Job
    from rotulus._jobs.log_filter import JobLogFilter
    from rotulus._jobs.log_line import LogLine
    from rotulus._jobs.middleware import EnqueueCall, Middleware, PendingJob, RunningAttempt
    from rotulus._jobs.outcome import ErrorInfo
    from rotulus._jobs.port import Progress
    from rotulus._jobs.retry import Retry
    from rotulus._jobs.signals import Cancel, Snooze
    from rotulus._jobs.states import State
    from rotulus._tasks.decorators import scheduled, task
    from rotulus._tasks.injected import INJECTED
    from rotulus._tasks.provider import TaskProvider
    from rotulus._tasks.registry import TaskRegistry, registry
    from rotulus._tasks.signature import ParameterInfo, TaskInfo
    from rotulus._tasks.task import Task
    from rotulus._time.schedule import Schedule
    from rotulus.errors import (
        ArgumentsError,
        ConfigurationError,
        DuplicateTaskError,
        JobFailedError,
        RotulusError,
        RotulusWarning,
        TaskError,
        TaskNotFoundError,
        TaskRegistrationError,
    )
    from rotulus.store.changes import Change

__version__ = "0.1.0"

# Now, because the first function of `atexit` is called last.
import_module("rotulus._exiting")

__all__ = [
    "AlikeJobs",
    "App",
    "ArgumentsError",
    "Attempt",
    "AttemptResult",
    "AuditEntry",
    "AuditPage",
    "BoxKind",
    "BulkProgress",
    "Cancel",
    "Carrier",
    "Change",
    "ChangeStream",
    "Changed",
    "Cipher",
    "ConfigurationError",
    "Delivery",
    "DeliveryPage",
    "Demand",
    "DuplicateTaskError",
    "EnqueueCall",
    "ErrorInfo",
    "FailureGroup",
    "GraphBox",
    "GraphRoute",
    "Group",
    "INJECTED",
    "Job",
    "JobCount",
    "JobCounts",
    "JobFailedError",
    "JobLogFilter",
    "JobOutcome",
    "JobPage",
    "LimitInfo",
    "LogLine",
    "Measured",
    "Middleware",
    "MissingSetting",
    "MuteInfo",
    "ParameterInfo",
    "PendingJob",
    "Progress",
    "Published",
    "PushChange",
    "PushDifference",
    "PushPlace",
    "PushPlan",
    "PushProblem",
    "PushProcess",
    "PushResource",
    "PushWanted",
    "QueueInfo",
    "Retry",
    "RotulusError",
    "RotulusWarning",
    "RunGraph",
    "RunningAttempt",
    "Schedule",
    "ScheduleInfo",
    "Snooze",
    "StatBucket",
    "StatPoint",
    "State",
    "StepInfo",
    "Task",
    "TaskError",
    "TaskInfo",
    "TaskNotFoundError",
    "TaskProvider",
    "TaskRegistrationError",
    "TaskRegistry",
    "Ticked",
    "Timeline",
    "TimelineRow",
    "Times",
    "TokenInfo",
    "WebhookInfo",
    "current_app",
    "registry",
    "scheduled",
    "task",
]

_HOMES = {
    "_app.app": ("App", "current_app"),
    "_app.change_stream": ("ChangeStream",),
    "_app.resources.audit": ("AuditEntry", "AuditPage"),
    "_app.resources.demand": ("Demand",),
    "_app.resources.failures": ("FailureGroup",),
    "_app.resources.bulk": ("BulkProgress", "Changed"),
    "_app.resources.job_count": ("JobCount",),
    "_app.resources.job_counting": ("AlikeJobs", "JobCounts"),
    "_app.resources.jobs": ("AttemptResult",),
    "_app.resources.pages": ("JobPage",),
    "_app.resources.push": ("PushProcess",),
    "_app.resources.push_infos": (
        "MissingSetting",
        "PushChange",
        "PushDifference",
        "PushPlace",
        "PushPlan",
        "PushProblem",
        "PushResource",
        "PushWanted",
    ),
    "_app.resources.limits": ("LimitInfo",),
    "_app.resources.mutes": ("MuteInfo",),
    "_app.resources.queues": ("QueueInfo",),
    "_app.resources.stored_schedules": ("ScheduleInfo",),
    "_app.resources.deliveries": ("Delivery", "DeliveryPage"),
    "_app.resources.webhook_infos": ("WebhookInfo",),
    "_app.resources.measures": ("Measured", "Times"),
    "_app.resources.run_graph": ("BoxKind", "GraphBox", "GraphRoute", "RunGraph"),
    "_app.resources.stats": ("StatBucket", "StatPoint"),
    "_app.resources.tokens": ("TokenInfo",),
    "_app.resources.steps": ("StepInfo",),
    "_app.resources.timeline": ("Timeline", "TimelineRow"),
    "_app.ticking": ("Ticked",),
    "_engine.outbox_relay": ("Carrier", "Published"),
    "_tasks.decorators": ("scheduled", "task"),
    "_tasks.injected": ("INJECTED",),
    "_jobs.encrypted": ("Cipher",),
    "_jobs.group": ("Group",),
    "_jobs.grouped": ("JobOutcome",),
    "_jobs.job": ("Attempt", "Job"),
    "_jobs.port": ("Progress",),
    "_jobs.log_filter": ("JobLogFilter",),
    "_jobs.log_line": ("LogLine",),
    "_jobs.middleware": ("EnqueueCall", "Middleware", "PendingJob", "RunningAttempt"),
    "_jobs.outcome": ("ErrorInfo",),
    "_tasks.provider": ("TaskProvider",),
    "_tasks.registry": ("TaskRegistry", "registry"),
    "_jobs.retry": ("Retry",),
    "_time.schedule": ("Schedule",),
    "_jobs.signals": ("Cancel", "Snooze"),
    "_tasks.signature": ("ParameterInfo", "TaskInfo"),
    "_jobs.states": ("State",),
    "_tasks.task": ("Task",),
    "store.changes": ("Change",),
    "errors": tuple(name for name in __all__ if name.endswith(("Error", "Warning"))),
}
"""Where each public name is defined."""


def __getattr__(name: str) -> Any:
    home = next((home for home, names in _HOMES.items() if name in names), None)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{home}"), name)
    if isinstance(value, type):
        value.__module__ = __name__  # shown where users find it
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
