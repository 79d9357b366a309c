"""The resources of an app over HTTP: a module for each noun, and the list of their routers."""

from collections.abc import Callable

from fastapi import APIRouter

from rotulus.service.resources.audit import make_audit_router
from rotulus.service.resources.changes import make_changes_router
from rotulus.service.resources.failures import make_failures_router
from rotulus.service.resources.groups import make_groups_router
from rotulus.service.resources.jobs import make_jobs_router
from rotulus.service.resources.limits import make_limits_router
from rotulus.service.resources.me import make_me_router
from rotulus.service.resources.problems import make_problems_router
from rotulus.service.resources.push import make_push_router
from rotulus.service.resources.queues import make_demand_router, make_queues_router
from rotulus.service.resources.runs import make_runs_router
from rotulus.service.resources.schedules import make_schedules_router
from rotulus.service.resources.settings import make_settings_router
from rotulus.service.resources.stats import make_stats_router
from rotulus.service.resources.store import make_store_router
from rotulus.service.resources.tokens import make_tokens_router
from rotulus.service.resources.webhooks import make_webhooks_router
from rotulus.service.resources.workers import make_workers_router

ROUTERS: tuple[Callable[[], APIRouter], ...] = (
    make_jobs_router,
    make_changes_router,
    make_demand_router,
    make_failures_router,
    make_groups_router,
    make_limits_router,
    make_push_router,
    make_queues_router,
    make_runs_router,
    make_schedules_router,
    make_stats_router,
    make_workers_router,
    make_tokens_router,
    make_audit_router,
    make_webhooks_router,
    make_problems_router,
    make_me_router,
    make_settings_router,
    make_store_router,
)
"""What makes the routes of each resource."""
