"""One typed operation of the OpenAPI document for each task: its schema, its text, an example."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from rotulus import Task, TaskRegistry
from rotulus._app.inline import InlineCalls, Shape
from rotulus._app.roles import Role
from rotulus._text import jsontext
from rotulus.errors import ConfigurationError
from rotulus.service.access import ROLE_KEY
from rotulus.service.idempotency import WINDOW
from rotulus.service.problems import PROBLEM_RESPONSES

AnyTask = Task[..., Any, Any]

_DEFS = "#/$defs/"
_SCHEMAS = "#/components/schemas/"
_PROBLEM = PROBLEM_RESPONSES["default"]


class Operations:
    """The OpenAPI operations of a router's tasks.

    Args:
        registry: the tasks.
        calls: the calls of the tasks.
        prefix: the path of the router.
        tags: the tags of the operations.
    """

    def __init__(
        self, registry: TaskRegistry, calls: InlineCalls, prefix: str, tags: list[str]
    ) -> None:
        self._registry = registry
        self._calls = calls
        self._prefix = prefix
        self._tags = tags

    @property
    def version(self) -> object:
        """The tasks: other tasks have other operations."""
        return tuple(self._registry)

    def add_to(self, document: dict[str, Any]) -> None:
        """Put the operations into an OpenAPI document; a task that cannot be called has none."""
        paths = document.setdefault("paths", {})
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        taken: set[str] = set()
        for task in self._registry:
            try:
                shape = self._calls.shape(task.name)
            except ConfigurationError:  # such as no database where it needs one
                continue
            word = _unlike(re.sub(r"\W+", "_", task.name), taken)
            place = f"{self._prefix}/{task.name}"
            schemas.update(_SHARED | _components(word, shape))
            example = self._example(task, shape)
            paths[f"{place}/$execute"] = {"post": self._execute(task, word, shape, example)}
            paths[f"{place}/$enqueue"] = {"post": self._enqueue(task, word, shape, example)}

    def _execute(
        self, task: AnyTask, word: str, shape: Shape, example: dict[str, Any] | None
    ) -> dict[str, Any]:
        envelope = {
            "type": "object",
            "required": ["task_name", "params", "result", "error"],
            "properties": {
                "task_name": {"const": task.name},
                "params": {"type": "object"},
                "result": {"anyOf": [_ref(f"{word}-result"), {"type": "null"}]},
                "error": {"anyOf": [_ref("TaskError"), {"type": "null"}]},
            },
        }
        return self._described(task, f"execute_{word}", f"Execute {task.name}") | {
            "requestBody": _body(word, shape, {}, example),
            "responses": {
                "200": _json("The result of the task, or its error.", envelope),
                "default": _PROBLEM,
            },
        }

    def _enqueue(
        self, task: AnyTask, word: str, shape: Shape, example: dict[str, Any] | None
    ) -> dict[str, Any]:
        stored = "The job is stored, and Location is its address."
        return self._described(task, f"enqueue_{word}", f"Enqueue {task.name}") | {
            "parameters": _HEADERS,
            "requestBody": _body(word, shape, {"options": _ref("EnqueueOptions")}, example),
            "responses": {
                "200": _json("The job has ended, or had been stored before.", _ref("StoredJob"))
                | {"headers": _REPLAYED},
                "202": _json(stored, _ref("StoredJob")) | {"headers": _LOCATION},
                "default": _PROBLEM,
            },
        }

    def _described(self, task: AnyTask, operation: str, summary: str) -> dict[str, Any]:
        described: dict[str, Any] = {
            "operationId": operation,
            "summary": summary,
            "tags": self._tags,
        }
        described[ROLE_KEY] = Role.OPERATOR.value
        return described | ({"description": task.info.docstring} if task.info.docstring else {})

    def _example(self, task: AnyTask, shape: Shape) -> dict[str, Any] | None:
        """Arguments that the task takes; None if none are found."""
        found = _sample(shape.arguments, shape.arguments.get("$defs", {}))
        if not isinstance(found, dict):
            return None
        example = cast("dict[str, Any]", found)
        return example if self._calls.fits(task.name, jsontext.encode(example)) else None


_ERROR: dict[str, Any] = {
    "type": "object",
    "required": ["type", "message", "traceback"],
    "properties": {
        "type": {"type": "string"},
        "message": {"type": "string"},
        "traceback": {"type": ["string", "null"]},
        "error_id": {"type": "string"},
    },
}
_OPTIONS: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "queue": {"type": ["string", "null"]},
        "priority": {"type": ["integer", "null"]},
        "delay": {"type": ["number", "null"], "description": "Seconds until it is due."},
        "at": {"type": ["string", "null"], "format": "date-time"},
        "expires": {
            "type": ["number", "null"],
            "description": "Seconds after which it is no longer started.",
        },
        "key": {
            "type": ["string", "null"],
            "description": "At most one live job has this key.",
        },
    },
}
_JOB: dict[str, Any] = {
    "type": "object",
    "required": ["id", "task", "queue", "state"],
    "properties": {"id": {"type": "string", "format": "uuid"}, "state": {"type": "string"}},
}
_SHARED: dict[str, Any] = {"TaskError": _ERROR, "EnqueueOptions": _OPTIONS, "StoredJob": _JOB}
"""Schemas that the operations of all tasks refer to, by name."""

_KEY = r'^("[ !#-\[\]-~]+"|[!#-+\-.-:<-~]+)$'
"""A text in quotes, as in the draft, or bare."""

_HEADERS: list[dict[str, Any]] = [
    {
        "name": "Idempotency-Key",
        "in": "header",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": _KEY},
        "description": "The same request of the same sender with the same key stores one job: the "
        "answer to another one is 200 with that job and `Idempotency-Replayed: true`. A key is "
        "remembered for 24 hours, and as long as its job has not ended. With another payload it is "
        "refused: 422.",
        "x-rotulus-window": int(WINDOW),
    },
    {
        "name": "Prefer",
        "in": "header",
        "schema": {"type": "string"},
        "description": "wait=10: answer when the job has ended, or after so many seconds.",
    },
]
_REPLAYED: dict[str, Any] = {
    "Idempotency-Replayed": {
        "description": "The job had been stored before, under the same `Idempotency-Key`.",
        "schema": {"const": "true"},
    }
}
_LOCATION: dict[str, Any] = {"Location": {"schema": {"type": "string"}}}


def _unlike(word: str, taken: set[str]) -> str:
    """Returns a word that no other task has: two names may differ in their punctuation only."""
    found, number = word, 2
    while found in taken:
        found, number = f"{word}_{number}", number + 1
    taken.add(found)
    return found


def _json(description: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"{_SCHEMAS}{name}"}


def _body(
    word: str, shape: Shape, others: Mapping[str, Any], example: dict[str, Any] | None
) -> dict[str, Any]:
    needed = bool(shape.arguments.get("required"))
    schema: dict[str, Any] = {
        "type": "object",
        "additionalProperties": False,
        "properties": {"params": _ref(f"{word}-params"), **others},
    } | ({"required": ["params"]} if needed else {})
    content: dict[str, Any] = {"schema": schema}
    if example is not None:
        content["example"] = {"params": example}
    return {"required": needed, "content": {"application/json": content}}


def _components(word: str, shape: Shape) -> dict[str, Any]:
    """Returns the schemas of a task, and those they refer to, under names that no other has."""
    defs = shape.arguments.get("$defs", {}) | shape.result.get("$defs", {})
    named = {f"{word}.{name}": schema for name, schema in defs.items()}
    named |= {f"{word}-params": shape.arguments, f"{word}-result": shape.result}
    return {name: _moved(schema, word) for name, schema in named.items()}


def _moved(schema: Any, word: str) -> Any:
    """Returns a schema that refers to the components of the document, not to its own `$defs`."""
    if isinstance(schema, list):
        return [_moved(one, word) for one in cast("list[Any]", schema)]
    if not isinstance(schema, dict):
        return schema
    found: dict[str, Any] = {}
    for key, value in cast("dict[str, Any]", schema).items():
        if key == "$ref" and isinstance(value, str):
            found[key] = value.replace(_DEFS, f"{_SCHEMAS}{word}.")
        elif key == "mapping" and isinstance(value, dict):  # of a discriminator
            members = cast("dict[str, str]", value).items()
            found[key] = {name: ref.replace(_DEFS, f"{_SCHEMAS}{word}.") for name, ref in members}
        elif key != "$defs":
            found[key] = _moved(value, word)
    return found


_SAMPLES: dict[str, Any] = {
    "string": "text",
    "integer": 1,
    "number": 1.5,
    "boolean": True,
    "array": [],
    "null": None,
}


def _sample(schema: Any, defs: Mapping[str, Any], depth: int = 0) -> Any:
    """Returns a value that probably fits a schema."""
    if not isinstance(schema, dict) or depth > 8:
        return None
    known = cast("dict[str, Any]", schema)
    for found in _named_values(known):
        return found
    if "$ref" in known:
        return _sample(defs.get(known["$ref"].removeprefix(_DEFS)), defs, depth + 1)
    if "anyOf" in known:
        return _sample(known["anyOf"][0], defs, depth + 1)
    if known.get("type") == "object" or "properties" in known:
        needed = known.get("required", ())
        return {
            name: _sample(one, defs, depth + 1)
            for name, one in known.get("properties", {}).items()
            if name in needed or "default" in one
        }
    return _SAMPLES.get(known.get("type", ""), "text")


def _named_values(schema: Mapping[str, Any]) -> Iterator[Any]:
    """Returns the value that the schema itself names."""
    yield from schema.get("examples", ())
    yield from (schema[key] for key in ("default", "const") if key in schema)
    yield from schema.get("enum", ())
