"""The features of the application around the page, with their paths, read from its routes."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.routing import Match, NoMatchFound

from rotulus.service.scope import root_of

_PLACES = {
    "Jobs": "/api/v1/jobs",
    "Artifacts": "/api/v1/artifacts",
    "System": "/api/v1/system",
    "Metrics": "/metrics",
    "Health": "/health",
}
"""The features that a service may have beside its tasks."""


@dataclass(frozen=True, slots=True)
class Link:
    """A link of the page.

    Attributes:
        label: its text.
        href: its target.
    """

    label: str
    href: str


@dataclass(frozen=True, slots=True)
class Offers:
    """The places of an application, as a browser sees them.

    Attributes:
        links: documents and resources.
        tasks: the beginning of the paths of tasks; None if none are served.
        enqueues: whether tasks can be enqueued.
        jobs: the beginning of the paths of jobs; None if none are served.
        health: the path of the health check; None if there is none.
    """

    links: tuple[Link, ...]
    tasks: str | None
    enqueues: bool
    jobs: str | None
    health: str | None


def offers_of(request: Request) -> Offers:
    """Returns the features of an application, with paths behind its proxy or its mount."""
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
    """Returns the beginning of the paths of tasks, wherever their router was included."""
    try:
        path = str(request.app.url_path_for("get_task", name="x"))
    except NoMatchFound:
        return None
    prefix = path.removesuffix("/x")
    return prefix if _is_served(request, f"{prefix}/x/$execute", "POST") else None


def _is_served(request: Request, path: str, method: str = "GET") -> bool:
    scope = {**request.scope, "path": path, "root_path": "", "method": method}
    return any(route.matches(scope)[0] is Match.FULL for route in request.app.routes)
