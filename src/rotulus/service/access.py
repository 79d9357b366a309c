"""The role that each route of a service needs: one table; a route that is not in it is refused."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from rotulus._app.roles import Role
from rotulus.errors import ConfigurationError

_VIEWER, _OPERATOR, _ADMIN = Role.VIEWER, Role.OPERATOR, Role.ADMIN

ROLES: Mapping[str, Role] = MappingProxyType(
    {
        # The service itself.
        "GET /": _VIEWER,
        "GET /docs": _VIEWER,
        "GET /docs/oauth2-redirect": _VIEWER,
        "GET /openapi.json": _VIEWER,
        "GET /redoc": _VIEWER,
        "GET /console": _VIEWER,
        "GET /console/{path:path}": _VIEWER,
        "GET /metrics": _VIEWER,
        "GET /api/v1/info": _VIEWER,
        "GET /api/v1/system": _VIEWER,
        "GET /api/v1/me": _VIEWER,
        "GET /api/v1/settings": _VIEWER,
        "GET /api/v1/store": _VIEWER,
        # Tasks.
        "GET /api/v1/tasks": _VIEWER,
        "GET /api/v1/tasks/{name}": _VIEWER,
        "GET /api/v1/tasks/{name}/$details": _VIEWER,
        "POST /api/v1/tasks/{name}/$enqueue": _OPERATOR,
        "POST /api/v1/tasks/{name}/$execute": _OPERATOR,
        # Jobs.
        "GET /api/v1/jobs": _VIEWER,
        "GET /api/v1/jobs/$count": _VIEWER,
        "GET /api/v1/jobs/$count_by": _VIEWER,
        "GET /api/v1/jobs/$schema": _VIEWER,
        "POST /api/v1/jobs/$cancel": _OPERATOR,
        "POST /api/v1/jobs/$delete": _OPERATOR,
        "POST /api/v1/jobs/$reprioritise": _OPERATOR,
        "POST /api/v1/jobs/$retry": _OPERATOR,
        "GET /api/v1/jobs/{job_id}": _VIEWER,
        "GET /api/v1/jobs/{job_id}/$logs": _VIEWER,
        "GET /api/v1/jobs/{job_id}/$logs/$stream": _VIEWER,
        "GET /api/v1/jobs/{job_id}/$result": _VIEWER,
        "GET /api/v1/jobs/{job_id}/$stream": _VIEWER,
        "DELETE /api/v1/jobs/{job_id}": _OPERATOR,
        "PATCH /api/v1/jobs/{job_id}": _OPERATOR,
        "POST /api/v1/jobs/{job_id}/$reprioritise": _OPERATOR,
        "POST /api/v1/jobs/{job_id}/$cancel": _OPERATOR,
        "POST /api/v1/jobs/{job_id}/$retry": _OPERATOR,
        # Changes.
        "GET /api/v1/changes": _VIEWER,
        # Queues, workers and statistics.
        "GET /api/v1/demand": _VIEWER,
        "GET /api/v1/queues": _VIEWER,
        "GET /api/v1/queues/{queue}": _VIEWER,
        "GET /api/v1/queues/{queue}/$demand": _VIEWER,
        "POST /api/v1/queues/{queue}/$pause": _OPERATOR,
        "POST /api/v1/queues/{queue}/$resume": _OPERATOR,
        "GET /api/v1/limits": _VIEWER,
        "GET /api/v1/limits/{key:path}": _VIEWER,
        "PUT /api/v1/limits/{key:path}": _OPERATOR,
        "DELETE /api/v1/limits/{key:path}": _OPERATOR,
        "GET /api/v1/stats/ages": _VIEWER,
        "GET /api/v1/stats/histogram": _VIEWER,
        "GET /api/v1/stats/series": _VIEWER,
        "GET /api/v1/stats/totals": _VIEWER,
        "GET /api/v1/workers": _VIEWER,
        "POST /api/v1/workers/{worker}/$drain": _OPERATOR,
        # Failures.
        "GET /api/v1/failures": _VIEWER,
        "GET /api/v1/failures/$latest": _VIEWER,
        "GET /api/v1/failures/{fingerprint}": _VIEWER,
        "POST /api/v1/failures/{fingerprint}/$delete": _OPERATOR,
        "POST /api/v1/failures/{fingerprint}/$mute": _OPERATOR,
        "POST /api/v1/failures/{fingerprint}/$retry": _OPERATOR,
        "POST /api/v1/failures/{fingerprint}/$unmute": _OPERATOR,
        # Runs and groups.
        "POST /api/v1/groups": _OPERATOR,
        "GET /api/v1/groups/{name}": _VIEWER,
        "POST /api/v1/groups/{name}/$add": _OPERATOR,
        "POST /api/v1/groups/{name}/$close": _OPERATOR,
        "GET /api/v1/runs": _VIEWER,
        "GET /api/v1/runs/{run_id}": _VIEWER,
        "GET /api/v1/runs/{run_id}/$graph": _VIEWER,
        "GET /api/v1/runs/{run_id}/$step": _VIEWER,
        "GET /api/v1/runs/{run_id}/$steps": _VIEWER,
        "GET /api/v1/runs/{run_id}/$timeline": _VIEWER,
        "POST /api/v1/runs/{run_id}/$cancel": _OPERATOR,
        "POST /api/v1/runs/{run_id}/$pause": _OPERATOR,
        "POST /api/v1/runs/{run_id}/$replay": _OPERATOR,
        "POST /api/v1/runs/{run_id}/$resume": _OPERATOR,
        "POST /api/v1/runs/{run_id}/$retry": _OPERATOR,
        "POST /api/v1/runs/{run_id}/$skip": _OPERATOR,
        # Schedules.
        "GET /api/v1/schedules": _VIEWER,
        "POST /api/v1/schedules": _OPERATOR,
        "GET /api/v1/schedules/{name}": _VIEWER,
        "PATCH /api/v1/schedules/{name}": _OPERATOR,
        "DELETE /api/v1/schedules/{name}": _OPERATOR,
        "GET /api/v1/schedules/{name}/$instants": _VIEWER,
        "POST /api/v1/schedules/{name}/$backfill": _OPERATOR,
        "POST /api/v1/schedules/{name}/$pause": _OPERATOR,
        "POST /api/v1/schedules/{name}/$resume": _OPERATOR,
        "POST /api/v1/schedules/{name}/$run": _OPERATOR,
        # Tokens and the audit.
        "GET /api/v1/tokens": _ADMIN,
        "POST /api/v1/tokens": _ADMIN,
        "GET /api/v1/tokens/{name}": _ADMIN,
        "DELETE /api/v1/tokens/{name}": _ADMIN,
        "GET /api/v1/audit": _ADMIN,
        # Webhooks.
        "GET /api/v1/webhooks": _ADMIN,
        "POST /api/v1/webhooks": _ADMIN,
        "GET /api/v1/webhooks/$deliveries": _ADMIN,
        "POST /api/v1/webhooks/$deliveries/{delivery_id}/$replay": _ADMIN,
        "GET /api/v1/webhooks/{name}": _ADMIN,
        "PATCH /api/v1/webhooks/{name}": _ADMIN,
        "DELETE /api/v1/webhooks/{name}": _ADMIN,
        "POST /api/v1/webhooks/{name}/$pause": _ADMIN,
        "POST /api/v1/webhooks/{name}/$resume": _ADMIN,
        "POST /api/v1/webhooks/{name}/$rotate": _ADMIN,
        "POST /api/v1/webhooks/{name}/$test": _ADMIN,
        # Pushes.
        "GET /api/v1/push": _VIEWER,
        "GET /api/v1/push/$deliveries": _VIEWER,
        "POST /api/v1/push/$plan": _OPERATOR,
        # Artifacts.
        "GET /api/v1/artifacts": _VIEWER,
        "GET /api/v1/artifacts/{artifact_id}": _VIEWER,
        "GET /api/v1/artifacts/{artifact_id}/$download": _VIEWER,
        "GET /api/v1/artifacts/{artifact_id}/$expand": _VIEWER,
        "GET /api/v1/artifacts/{artifact_id}/$metadata": _VIEWER,
        "GET /api/v1/artifacts/{artifact_id}/$tree": _VIEWER,
        "POST /api/v1/artifacts": _OPERATOR,
        "DELETE /api/v1/artifacts/{artifact_id}": _OPERATOR,
    }
)
"""The role of each route, by its method and its path under the usual prefixes."""

OPEN_PATHS = frozenset({"/health", "/health/live", "/health/ready"})
"""Paths that are open to every client, because health probes have no token."""

OPEN_PAGES = frozenset({"/api/v1/problems/{code}"})
"""Paths of pages that are open to every client, because they have no data."""

DOCUMENTS = frozenset({"/docs", "/docs/oauth2-redirect", "/openapi.json", "/redoc"})
"""Paths of the documents, whose routes are FastAPI's."""


ROLE_KEY = "x-rotulus-role"
"""The name of a route's role in the OpenAPI document."""


def role_of(methods: Iterable[str], path: str) -> Role:
    """Returns the role that a route of ours needs.

    Args:
        methods: its methods.
        path: its path, with the names of its parameters, under the usual prefix.

    Raises:
        ConfigurationError: the table does not have the route.
    """
    wanted = [f"{method} {path}" for method in methods if method != "HEAD"]
    missing = [one for one in wanted if one not in ROLES]
    if missing or not wanted:
        raise ConfigurationError(
            f"No role is given for {', '.join(missing) or path}: add it to ROLES in "
            f"rotulus/service/access.py, or nobody may call it"
        )
    return max((ROLES[one] for one in wanted), key=list(Role).index)
