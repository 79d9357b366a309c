"""Django's tasks on Rotulus: `INSTALLED_APPS = [..., "rotulus.django"]`, and a backend in `TASKS`.

Each name is imported when it is first used, so that this can stand in `INSTALLED_APPS`. The models
are in `rotulus.django.models`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rotulus.django.app import app_of, worker_app
    from rotulus.django.backend import DatabaseBackend
    from rotulus.django.compat import task
    from rotulus.django.pubsub import PubSubBackend
    from rotulus.django.switches import is_enabled, kill_switch
    from rotulus.pubsub import TaskRoute

__all__ = [
    "DatabaseBackend",
    "PubSubBackend",
    "TaskRoute",
    "app_of",
    "is_enabled",
    "kill_switch",
    "task",
    "worker_app",
]

_HOMES = {
    "DatabaseBackend": "rotulus.django.backend",
    "PubSubBackend": "rotulus.django.pubsub",
    "TaskRoute": "rotulus.pubsub",
    "app_of": "rotulus.django.app",
    "is_enabled": "rotulus.django.switches",
    "kill_switch": "rotulus.django.switches",
    "task": "rotulus.django.compat",
    "worker_app": "rotulus.django.app",
}
"""Where each public name is defined."""


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    if isinstance(value, type) and _HOMES[name].startswith(__name__):
        value.__module__ = __name__  # shown where users find it
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
