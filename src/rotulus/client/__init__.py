"""A service over HTTP, for programs without its database: `Client(url)`.

Each name is imported when it is first used, as those of `rotulus` are. It needs the extra:
`pip install 'rotulus[client]'`.
"""

from typing import TYPE_CHECKING

from rotulus._lazy import lazy

if TYPE_CHECKING:
    from rotulus import (
        AuditEntry,
        AuditPage,
        Delivery,
        DeliveryPage,
        GraphBox,
        GraphRoute,
        LogLine,
        Measured,
        TaskInfo,
        Timeline,
        TimelineRow,
        Times,
        TokenInfo,
        WebhookInfo,
    )
    from rotulus._app.resources.pages import Page
    from rotulus.client.changes import ChangeStream
    from rotulus.client.client import Client
    from rotulus.client.failures import FailureGroup, Mute
    from rotulus.client.problems import (
        NoServiceError,
        ServiceError,
        ServiceRefusedError,
        ServiceUnreachableError,
    )
    from rotulus.client.run_values import Graph, Group, Run, Step
    from rotulus.client.tasks import Sender, TaskFailedError
    from rotulus.client.values import (
        AlikeJobs,
        Backfill,
        Change,
        Demand,
        Job,
        JobAttempt,
        JobChange,
        JobCounts,
        JobDetail,
        JobError,
        JobPage,
        JobProgress,
        ListedJob,
        Point,
        Queue,
        Schedule,
        Worker,
    )
    from rotulus.service.artifacts.values import (
        ArtifactContent,
        ArtifactIn,
        ArtifactInfo,
        ArtifactNode,
        ArtifactOut,
    )

__all__ = [
    "AlikeJobs",
    "ArtifactContent",
    "ArtifactIn",
    "ArtifactInfo",
    "ArtifactNode",
    "ArtifactOut",
    "AuditEntry",
    "AuditPage",
    "Backfill",
    "Change",
    "ChangeStream",
    "Client",
    "Delivery",
    "DeliveryPage",
    "Demand",
    "FailureGroup",
    "Graph",
    "GraphBox",
    "GraphRoute",
    "Group",
    "Job",
    "JobAttempt",
    "JobChange",
    "JobCounts",
    "JobDetail",
    "JobError",
    "JobPage",
    "JobProgress",
    "ListedJob",
    "LogLine",
    "Measured",
    "Mute",
    "NoServiceError",
    "Page",
    "Point",
    "Queue",
    "Run",
    "Schedule",
    "Sender",
    "ServiceError",
    "ServiceRefusedError",
    "ServiceUnreachableError",
    "Step",
    "TaskFailedError",
    "TaskInfo",
    "Timeline",
    "TimelineRow",
    "Times",
    "TokenInfo",
    "WebhookInfo",
    "Worker",
]

_HOMES = {
    "rotulus": (
        "AuditEntry",
        "AuditPage",
        "Delivery",
        "DeliveryPage",
        "GraphBox",
        "GraphRoute",
        "LogLine",
        "Measured",
        "TaskInfo",
        "Timeline",
        "TimelineRow",
        "Times",
        "TokenInfo",
        "WebhookInfo",
    ),
    "rotulus._app.resources.pages": ("Page",),
    "rotulus.client.changes": ("ChangeStream",),
    "rotulus.client.client": ("Client",),
    "rotulus.client.failures": ("FailureGroup", "Mute"),
    "rotulus.client.problems": (
        "NoServiceError",
        "ServiceError",
        "ServiceRefusedError",
        "ServiceUnreachableError",
    ),
    "rotulus.client.run_values": (
        "Graph",
        "Group",
        "Run",
        "Step",
    ),
    "rotulus.client.tasks": (
        "Sender",
        "TaskFailedError",
    ),
    "rotulus.client.values": (
        "AlikeJobs",
        "Backfill",
        "Change",
        "Demand",
        "Job",
        "JobAttempt",
        "JobChange",
        "JobCounts",
        "JobDetail",
        "JobError",
        "JobPage",
        "JobProgress",
        "ListedJob",
        "Point",
        "Queue",
        "Schedule",
        "Worker",
    ),
    "rotulus.service.artifacts.values": (
        "ArtifactContent",
        "ArtifactIn",
        "ArtifactInfo",
        "ArtifactNode",
        "ArtifactOut",
    ),
}
"""Where each public name is defined."""

_EXTRA = {"httpx2": "client"}
"""The extra of each package."""

__getattr__ = lazy(__name__, _HOMES, _EXTRA)


def __dir__() -> list[str]:
    return list(__all__)
