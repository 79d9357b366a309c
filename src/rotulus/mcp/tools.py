"""The tools of an assistant, made of the operations of an OpenAPI document."""

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple, cast

from rotulus._text.names import did_you_mean
from rotulus._text.segments import path_segment
from rotulus.errors import OptionError

ALL = "all"
"""What allows every verb."""

_PREFIX = "/api/v1/"
_COMPONENTS = "#/components/schemas/"
_JSON = "application/json"
_LEFT_OUT = {"get_job_schema", "get_me"}
"""Operations that tell an assistant nothing that its tools do not."""

Data = Mapping[str, Any]


class Tool(NamedTuple):
    """An operation, as an assistant sees it.

    Attributes:
        name: the id of the operation.
        title: what it does, in a few words.
        description: the same, whole.
        schema: the JSON Schema of its arguments.
        reads: whether it changes nothing.
        method: the HTTP method.
        path: the path, with names in braces.
        places: for each argument `path`, `query` or `body`.
    """

    name: str
    title: str
    description: str
    schema: dict[str, Any]
    reads: bool
    method: str
    path: str
    places: dict[str, str]


class Request(NamedTuple):
    """A request to a service.

    Attributes:
        method: the HTTP method.
        path: the path, quoted.
        query: the parameters; a name may be there several times.
        body: the JSON body; None: there is none.
    """

    method: str
    path: str
    query: list[tuple[str, str]]
    body: dict[str, Any] | None


def tools_of(document: Data, allowed: Collection[str] = ()) -> list[Tool]:
    """Returns a tool for each operation that reads, and for those that are allowed besides.

    Streams, downloads, and what is for admins only are left out.

    Args:
        document: the OpenAPI document of a service.
        allowed: the ids of operations that change something; `all` for every one of them.

    Raises:
        OptionError: there is no such operation.
    """
    found = list(_operations(document))
    verbs = [operation["operationId"] for _, method, operation in found if method != "get"]
    for name in allowed:
        if name != ALL and name not in verbs:
            raise OptionError(
                f"{name!r} cannot be allowed: no operation that changes something is called "
                f"so{did_you_mean(name, verbs)}. {ALL!r} allows them all"
            )
    return [
        _tool(document, path, method, operation)
        for path, method, operation in found
        if method == "get" or ALL in allowed or operation["operationId"] in allowed
    ]


def request_of(tool: Tool, arguments: Data) -> Request:
    """Returns the request that calls a tool.

    Raises:
        OptionError: an argument is not known, or one that the path needs is missing.
    """
    query, body, names = list[tuple[str, str]](), dict[str, Any](), dict[str, str]()
    for name, value in arguments.items():
        place = tool.places.get(name)
        if place is None:
            known = ", ".join(tool.places) or "none"
            raise OptionError(f"{tool.name} has no argument {name!r}: it has {known}")
        if place == "body":
            body[name] = value
        elif place == "path":
            names[name] = path_segment(str(value))
        else:
            several = cast("list[Any]", value) if isinstance(value, list) else [value]
            query += [(name, _text(one)) for one in several if one is not None]
    missing = [name for name, place in tool.places.items() if place == "path" and name not in names]
    if missing:
        raise OptionError(f"{tool.name} needs {', '.join(missing)}")
    has_body = "body" in tool.places.values()
    return Request(tool.method, tool.path.format(**names), query, body if has_body else None)


def _operations(document: Data) -> Iterator[tuple[str, str, Data]]:
    """The operations that can be tools, each with its path and method."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if (
                path.startswith(_PREFIX)
                and operation.get("x-rotulus-role") != "admin"
                and operation["operationId"] not in _LEFT_OUT
                and _answers_json(operation)
            ):
                yield path, method, operation


def _answers_json(operation: Data) -> bool:
    kinds = [
        set(answer.get("content", {}))
        for status, answer in operation["responses"].items()
        if status.startswith("2")
    ]
    return all(kind <= {_JSON} for kind in kinds)


def _tool(document: Data, path: str, method: str, operation: Data) -> Tool:
    properties, places, required = dict[str, Any](), dict[str, str](), list[str]()
    for parameter in operation.get("parameters", ()):
        name, place = parameter["name"], parameter["in"]
        if place in ("path", "query"):
            described = {"description": parameter.get("description", "")}
            properties[name], places[name] = described | parameter["schema"], place
            required += [name] if parameter.get("required") else []
    body = _body(document, operation)
    for name, schema in body.get("properties", {}).items():
        properties[name], places[name] = schema, "body"
    required += body.get("required", [])
    schema = {"type": "object", "properties": properties, "additionalProperties": False}
    summary = operation.get("summary", operation["operationId"])
    return Tool(
        operation["operationId"],
        summary,
        operation.get("description") or summary,
        _whole(document, schema | ({"required": required} if required else {})),
        method == "get",
        method.upper(),
        path,
        places,
    )


def _body(document: Data, operation: Data) -> Data:
    """The schema of a JSON body that is an object; {} where there is none."""
    content = operation.get("requestBody", {}).get("content", {})
    return _object(document, content.get(_JSON, {}).get("schema", {}))


def _object(document: Data, schema: Data) -> Data:
    """The schema of an object that a schema refers to, also if there may be none."""
    if "$ref" in schema:
        name = schema["$ref"].removeprefix(_COMPONENTS)
        return _object(document, document["components"]["schemas"][name])
    for choice in schema.get("anyOf", ()):
        if choice.get("type") != "null":
            return _object(document, choice)
    return schema


def _whole(document: Data, schema: dict[str, Any]) -> dict[str, Any]:
    """Returns a schema with what it refers to."""
    definitions, text = dict[str, Any](), json.dumps(schema)
    wanted = [text]
    while wanted:
        for part in wanted.pop().split(f'"$ref": "{_COMPONENTS}')[1:]:
            name = part.partition('"')[0]
            if name not in definitions:
                definitions[name] = document["components"]["schemas"][name]
                wanted.append(json.dumps(definitions[name]))
    whole = schema | ({"$defs": definitions} if definitions else {})
    return json.loads(json.dumps(whole).replace(_COMPONENTS, "#/$defs/"))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
