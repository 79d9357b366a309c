"""What the application around the page offers, and where: looked up in its routes."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.routing import Match, NoMatchFound

from rotulus.service.paths import root_of

_PLACES = {
    "Jobs": "/api/v1/jobs",
    "Artifacts": "/api/v1/artifacts",
    "System": "/api/v1/system",
    "Metrics": "/metrics",
    "Health": "/health",
}
"""What a service may offer beside its tasks."""


@dataclass(frozen=True, slots=True)
class Link:
    """A link of the page.

    Attributes:
        label: what it says.
        href: where it leads.
    """

    label: str
    href: str


@dataclass(frozen=True, slots=True)
class Offers:
    """The places of an application, as a browser sees them.

    Attributes:
        links: documents and resources.
        tasks: what the paths of tasks begin with; None if none are served.
        enqueues: whether tasks can be enqueued.
        jobs: what the paths of jobs begin with; None if none are served.
        health: where health is told; None if it is not.
    """

    links: tuple[Link, ...]
    tasks: str | None
    enqueues: bool
    jobs: str | None
    health: str | None


def offers_of(request: Request) -> Offers:
    """What the application of a request offers, behind the path of its proxy or its mount."""
    root = root_of(request.scope)
    places = {label: root + path for label, path in _PLACES.items() if _is_served(request, path)}
    app = request.app
    openapi = getattr(app, "openapi_url", None)
    documents = {"API": openapi and getattr(app, "docs_url", None), "OpenAPI": openapi}
    links = {label: root + path for label, path in documents.items() if path} | places
    tasks = _tasks(request)
    return Offers(
        links=tuple(Link(label, href) for label, href in links.items()),
        tasks=None if tasks is None else root + tasks,
        enqueues=tasks is not None and _is_served(request, f"{tasks}/x/$enqueue", "POST"),
        jobs=places.get("Jobs"),
        health=places.get("Health"),
    )


def _tasks(request: Request) -> str | None:
    """What the paths of tasks begin with, wherever their router was included."""
    try:
        path = str(request.app.url_path_for("get_task", name="x"))
    except NoMatchFound:
        return None
    prefix = path.removesuffix("/x")
    return prefix if _is_served(request, f"{prefix}/x/$execute", "POST") else None


def _is_served(request: Request, path: str, method: str = "GET") -> bool:
    scope = {**request.scope, "path": path, "root_path": "", "method": method}
    return any(route.matches(scope)[0] is Match.FULL for route in request.app.routes)
