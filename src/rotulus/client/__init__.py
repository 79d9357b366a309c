"""A service over HTTP, for programs without its database: `Client(url)`, extra `client`."""

from rotulus.client.changes import ChangeStream
from rotulus.client.client import Client
from rotulus.client.problems import ServiceError, ServiceUnreachableError
from rotulus.client.tasks import Sender, TaskFailedError
from rotulus.client.values import (
    Backfill,
    Change,
    Demand,
    Job,
    JobAttempt,
    JobChange,
    JobDetail,
    JobError,
    JobPage,
    JobProgress,
    LogLine,
    Measured,
    Page,
    Point,
    Queue,
    Schedule,
    TaskInfo,
    Times,
    Worker,
)

__all__ = [
    "Backfill",
    "Change",
    "ChangeStream",
    "Client",
    "Demand",
    "Job",
    "JobAttempt",
    "JobChange",
    "JobDetail",
    "JobError",
    "JobPage",
    "JobProgress",
    "LogLine",
    "Measured",
    "Page",
    "Point",
    "Queue",
    "Schedule",
    "Sender",
    "ServiceError",
    "ServiceUnreachableError",
    "TaskFailedError",
    "TaskInfo",
    "Times",
    "Worker",
]
