"""The fingerprint of a workflow: equal for equal content."""

import hashlib
import json
from dataclasses import MISSING, Field, fields
from typing import Any, cast

from rotulus._jobs.retry import Retry
from rotulus._tasks.options import JobOptions
from rotulus._tasks.task import Task
from rotulus._tasks.template import KeyTemplate

_LENGTH = 16

_NO_CONTENT = ("function", "_home", "connection")
"""Fields that say where something stands, and not what it is."""

_APART = ("options", "declared", "key", "limit_key")
"""Fields that are written in another form than the others."""

_OF_TASKS = ("tags", "retry", "timeout", "isolation", "memory", "result", "schedule")
_OF_JOBS = ("queue", "priority", "delay", "at", "expires", "window", "limit", "rate", "per")
_OF_RETRIES = ("attempts", "backoff", "delay", "cap", "jitter", "on", "not_on", "after")
_ALWAYS = frozenset((*_OF_TASKS, *_OF_JOBS, *_OF_RETRIES))
"""Fields that are part of every fingerprint, as they have been from the first. Any other one is
part of it only where it is not its default: so an option that is added changes no fingerprint."""


def of(*content: object) -> str:
    """16 hexadecimal digits."""
    text = json.dumps(content, default=_content, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:_LENGTH]


def _content(value: object) -> Any:
    """Returns a JSON form of a value that is the same in every process."""
    if isinstance(value, Task):
        return _of_task(cast("Task[..., Any, Any]", value))
    if isinstance(value, Retry):
        return _fields(value)
    if isinstance(value, KeyTemplate):
        return repr(value)  # as in the first release, whatever it looks like in messages
    if callable(value):
        return f"{value.__module__}.{getattr(value, '__qualname__', type(value).__qualname__)}"
    # A workflow that is a step of another one has a fingerprint of its own.
    return getattr(value, "version", None) or str(value)


def _of_task(task: Task[..., Any, Any]) -> dict[str, Any]:
    """A task and its `delivery`. The keys that it declares are its own; chosen ones are there."""
    options, declared = task.options, task.options.declared or task.options
    delivery = _fields(options) | _keys(options, str)
    return _fields(task) | _keys(declared, KeyTemplate) | {"delivery": delivery}


def _keys(options: JobOptions, kind: type[object]) -> dict[str, Any]:
    keys = {"key": options.key, "limit_key": options.limit_key}
    return {name: key if isinstance(key, kind) else None for name, key in keys.items()}


def _fields(record: Any) -> dict[str, Any]:
    return {
        field.name: getattr(record, field.name)
        for field in fields(record)
        if field.name not in (*_NO_CONTENT, *_APART)
        and (field.name in _ALWAYS or not _is_default(field, getattr(record, field.name)))
    }


def _is_default(field: Field[Any], value: object) -> bool:
    made = field.default if field.default_factory is MISSING else field.default_factory()
    return value == made
