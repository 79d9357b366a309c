"""The fields of a task's form, read from the JSON Schema of its arguments."""

import ast
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from rotulus import TaskInfo

_DEFS = "#/$defs/"
_REFERENCES = 16
"""The most references of a schema that are followed."""

_TYPES = {"integer": "integer", "number": "number", "boolean": "flag", "string": "text"}
_FORMATS = {"date-time": "moment", "date": "day", "time": "time", "email": "email", "uri": "url"}
_WORDS = {
    "integer": "integer",
    "number": "number",
    "flag": "yes or no",
    "text": "text",
    "lines": "text",
    "email": "e-mail address",
    "url": "address",
    "moment": "date and time",
    "day": "date",
    "time": "time of day",
    "choice": "one of",
    "scalar": "number or text",
}
_PLURALS = {"integer": "integers", "number": "numbers", "string": "texts", "boolean": "yes or no"}


@dataclass(frozen=True, slots=True)
class Choice:
    """One value that a field can have.

    Attributes:
        value: as JSON text; empty for none.
        label: the text for people.
    """

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Field:
    """One argument in a form.

    Attributes:
        name: of the argument.
        kind: the kind of its control: `text`, `lines`, `email`, `url`, `integer`, `number`,
            `scalar`,
            `flag`, `choice`, `moment`, `day`, `time`, or `json` for all other types.
        words: the allowed values, in words.
        required: whether a call has to give it.
        nullable: whether it may be null.
        initial: the first value of the control; of a choice as JSON text.
        default: the default as Python shows it, where a control cannot; None without one.
        description: the text of its author.
        choices: the values that it can have.
        limits: attributes of its control, such as `min`.
        schema: for `json`: the schema, as text.
    """

    name: str
    kind: str
    words: str
    required: bool
    nullable: bool
    initial: str
    default: str | None
    description: str | None
    choices: tuple[Choice, ...]
    limits: Mapping[str, str]
    schema: str | None


def fields_of(arguments: Mapping[str, Any], info: TaskInfo) -> list[Field]:
    """Returns the fields of a task, in the order of its parameters.

    Args:
        arguments: the JSON Schema of its arguments: an object.
        info: the task, for the defaults.
    """
    defs, needed = arguments.get("$defs", {}), arguments.get("required", ())
    defaults = {parameter.name: parameter.default for parameter in info.parameters}
    return [
        _field(name, schema, defs, required=name in needed, default=defaults.get(name))
        for name, schema in arguments.get("properties", {}).items()
    ]


def _field(
    name: str, schema: Any, defs: Mapping[str, Any], *, required: bool, default: str | None
) -> Field:
    found, nullable = _followed(schema, defs)
    if nullable and found.get("type") == "boolean":  # a box has two states, and this has three
        found = {**found, "enum": [True, False]}
    known, value = _literal(default)
    kind = _kind(found, value)
    initial = _initial(kind, value) if known else None
    return Field(
        name=name,
        kind=kind,
        words=_words(kind, found) + (" or nothing" if nullable and kind != "choice" else ""),
        required=required,
        nullable=nullable,
        initial=initial or "",
        default=default if initial is None and not required else None,
        description=_description(schema, found),
        choices=tuple(_choices(found, required=required, nullable=nullable, initial=initial))
        if kind == "choice"
        else (),
        limits=_limits(kind, found),
        schema=_json(_inlined(found, defs)) if kind == "json" else None,
    )


def _followed(schema: Any, defs: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
    """Returns the schema behind all references, and whether null is allowed beside it."""
    nullable = False
    for _ in range(_REFERENCES):
        known = _object(schema)
        if isinstance(reference := known.get("$ref"), str):
            schema = defs.get(reference.removeprefix(_DEFS))
            continue
        options = cast("list[Any]", known.get("anyOf", []))
        others = [option for option in options if option != {"type": "null"}]
        nullable = nullable or len(others) < len(options)
        if len(others) != 1:
            return ({**known, "anyOf": others} if others else known), nullable
        schema = others[0]
    return {}, nullable


def _kind(schema: Mapping[str, Any], default: Any) -> str:
    if "enum" in schema or "const" in schema:
        return "choice"
    types = {_object(option).get("type") for option in schema.get("anyOf", ())}
    if "string" in types and types <= {"string", "integer", "number"}:
        return "scalar"
    kind = _TYPES.get(str(schema.get("type")), "json")
    if kind != "text":
        return kind
    if isinstance(default, str) and "\n" in default:
        return "lines"
    return _FORMATS.get(schema.get("format", ""), "text")


def _literal(default: str | None) -> tuple[bool, Any]:
    """Returns whether JSON can hold a default, and its value."""
    if default is None:
        return False, None
    try:
        value = ast.literal_eval(default)
        _json(value)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return False, None
    return True, value


def _initial(kind: str, value: Any) -> str | None:
    """Returns the first value of a control for a default; None if it cannot show the default."""
    if kind == "choice":
        return json.dumps(value)
    if value is None:
        return ""
    if kind == "json":
        return _json(value)
    if kind == "flag":
        return "true" if value is True else ""
    if isinstance(value, bool):
        return None
    if isinstance(value, str) == (kind in ("integer", "number")) and kind != "scalar":
        return None
    return str(value) if isinstance(value, str | int | float) else None


def _words(kind: str, schema: Mapping[str, Any]) -> str:
    if kind != "json":
        name = schema.get("format", "") if kind == "text" else ""
        return f"{_WORDS[kind]} ({name})" if name else _WORDS[kind]
    if schema.get("type") == "array":
        plural = _PLURALS.get(str(_object(schema.get("items")).get("type")))
        return f"list of {plural}" if plural else "list"
    return "object" if schema.get("type") == "object" else "JSON"


def _description(*schemas: Any) -> str | None:
    """Returns the text of a parameter's author, else that of its type's author."""
    texts = (_object(schema).get("description") for schema in schemas)
    return next((text for text in texts if isinstance(text, str)), None)


def _choices(
    schema: Mapping[str, Any], *, required: bool, nullable: bool, initial: str | None
) -> Iterator[Choice]:
    values: list[Any] = [*schema.get("enum", [schema.get("const")])]
    if nullable and None not in values:
        values.append(None)
    known = [json.dumps(value) for value in values]
    if initial not in known:
        yield Choice("", "Choose …" if required else "The default")
    for value, text in zip(values, known, strict=True):
        yield Choice(text, value if isinstance(value, str) else _NAMES.get(text, text))


_NAMES = {"true": "yes", "false": "no", "null": "nothing"}


def _limits(kind: str, schema: Mapping[str, Any]) -> dict[str, str]:
    """Returns the limits that the browser checks; the service checks everything."""
    if kind in ("integer", "number"):
        past = 1 if kind == "integer" else None
        found = {
            "min": schema.get("minimum", _moved(schema.get("exclusiveMinimum"), past)),
            "max": schema.get("maximum", _moved(schema.get("exclusiveMaximum"), past and -past)),
            "step": "any" if kind == "number" else "1",
        }
    elif kind in ("text", "lines"):
        found = {"minlength": schema.get("minLength"), "maxlength": schema.get("maxLength")}
    else:
        found = {}
    return {name: str(limit) for name, limit in found.items() if limit is not None}


def _moved(limit: Any, by: int | None) -> Any:
    return None if limit is None or by is None else limit + by


def _inlined(schema: dict[str, Any], defs: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a schema together with the schemas that it refers to."""
    return {**schema, "$defs": dict(defs)} if _DEFS in _json(schema) else schema


def _json(value: Any) -> str:
    """Returns a value as text for people. Raises for a value that JSON cannot hold."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _object(schema: Any) -> dict[str, Any]:
    """Returns a schema that is an object: others are true or false."""
    return cast("dict[str, Any]", schema) if isinstance(schema, dict) else {}
