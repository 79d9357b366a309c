"""The resources of an app, by noun, with the same verbs at every door."""

from rotulus._app.resources.audit import Audit
from rotulus._app.resources.changes import Changes
from rotulus._app.resources.failures import Failures
from rotulus._app.resources.jobs import Jobs
from rotulus._app.resources.limits import Limits
from rotulus._app.resources.push import Push
from rotulus._app.resources.queues import Queues
from rotulus._app.resources.runs import Runs
from rotulus._app.resources.schedules import Schedules
from rotulus._app.resources.stats import Stats
from rotulus._app.resources.tokens import Tokens
from rotulus._app.resources.webhooks import Webhooks
from rotulus._app.resources.workers import Workers

__all__ = [
    "Audit",
    "Changes",
    "Failures",
    "Jobs",
    "Limits",
    "Push",
    "Queues",
    "Runs",
    "Schedules",
    "Stats",
    "Tokens",
    "Webhooks",
    "Workers",
]
