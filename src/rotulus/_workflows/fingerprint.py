"""The fingerprint of what a workflow is made of: the same content has the same."""

import hashlib
import json
from dataclasses import fields
from typing import Any, cast

from rotulus._jobs.retry import Retry
from rotulus._tasks.options import Delivery
from rotulus._tasks.task import Task

_LENGTH = 16

_NO_CONTENT = ("function", "_home", "connection")
"""Fields that say where something stands, and not what it is."""


def of(*content: object) -> str:
    """16 hexadecimal digits."""
    text = json.dumps(content, default=_content, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:_LENGTH]


def _content(value: object) -> Any:
    """Returns a JSON form of a value that is the same in every process."""
    if isinstance(value, Task | Retry | Delivery):
        record = cast("Retry", value)  # or one of the others
        named = (field.name for field in fields(record) if field.name not in _NO_CONTENT)
        return {name: getattr(record, name) for name in named}
    if callable(value):
        return f"{value.__module__}.{getattr(value, '__qualname__', type(value).__qualname__)}"
    # A workflow that is a step of another one has a fingerprint of its own.
    return getattr(value, "version", None) or str(value)
