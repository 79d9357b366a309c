"""What a service is made of, where its routes find it: under `app.state.rotulus`."""

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from rotulus import App


class ServiceInfo(BaseModel):
    """How a service introduces itself.

    Attributes:
        display_name: its name, as people read it.
        version: its own version.
        summary: what it is for, in a sentence.
        description: the same at length; Markdown.
        contact: who looks after it: `{"name": ..., "email": ...}`.
        license_info: the licence of its API: `{"name": ...}`.
    """

    display_name: str
    version: str = "1.0.0"
    summary: str | None = None
    description: str | None = None
    contact: dict[str, str] | None = None
    license_info: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class ServiceState:
    """What the routes of a service share.

    Attributes:
        app: whose tasks and jobs it serves.
        info: how it introduces itself.
        database: what `get_database` gives, if the service has one.
        scheduler: what `get_scheduler` gives, if the service has background jobs.
        hierarchy: of its artifacts, if the service has them.
        auth: who may come in; None: only this machine.
        tracebacks: whether answers hold tracebacks; None: only where nobody but this machine sees
            them.
    """

    app: App
    info: ServiceInfo
    database: Any = None
    scheduler: Any = None
    hierarchy: Any = None
    auth: Any = None
    tracebacks: bool | None = None
