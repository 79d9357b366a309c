"""A request to a service as a value: verbs make it, and the wire sends it, blocking or not."""

import json
import re
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Generic, NamedTuple, TypeVar, cast

from pydantic import TypeAdapter

from rotulus._text.segments import path_segment
from rotulus.errors import ArgumentsError, OptionError, RotulusError

T = TypeVar("T")

Query = tuple[tuple[str, str], ...]
"""Parameters of a query, in order; a name may be there several times."""

Since = datetime | timedelta | float
"""A moment, or how long ago it was: a length of time, or seconds."""


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """A request, and how its answer is read.

    Attributes:
        method: the HTTP method.
        path: below `/api/v1`, with a slash in front.
        read: makes the value of a JSON body; the body is None if the answer has none.
        query: the parameters.
        body: the JSON body; None: there is none.
        headers: further headers.
        repeatable: whether the request may be sent again when nobody knows whether it came.
        seconds: how much longer than usual the answer may take.
        versioned: whether the `ETag` of the answer is the `version` of the value.
        content: bytes to send in place of a JSON body, with the Content-Type of `headers`.
        whole: whether `read` is given an `Answer`, of any media type, in place of a JSON body.
    """

    method: str
    path: str
    read: Callable[[Any], T]
    query: Query = ()
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    repeatable: bool = False
    seconds: float = 0.0
    versioned: bool = False
    content: bytes | None = None
    whole: bool = False


class Answer(NamedTuple):
    """An answer that is no JSON: its bytes, and its headers."""

    content: bytes
    headers: Mapping[str, str]


def get(path: str, read: Callable[[Any], T], query: Query = ()) -> Call[T]:
    """Returns a call that reads, and may be sent again."""
    return Call("GET", path, read, query, repeatable=True)


def nothing(_: Any) -> None:
    """Read an answer that says nothing."""


def reader(kind: type[T]) -> Callable[[Any], T]:
    """Returns what reads a value of a kind; the schema is compiled once."""
    return TypeAdapter(kind).validate_python


@contextmanager
def sendable() -> Generator[None, None, None]:
    """A block that makes a request of values; `OptionError` for one that no request can have."""
    try:
        yield
    except RotulusError:
        raise
    except (TypeError, ValueError) as error:
        raise OptionError(f"A value cannot be sent: {error}") from error


def arguments_of(params: T) -> T:
    """Returns arguments of a task as they are. Raises `ArgumentsError` unless they are JSON."""
    try:
        json.dumps(params, ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise ArgumentsError(f"The arguments are no JSON: {error}", [str(error)]) from error
    return params


def path_of(*parts: str) -> str:
    """Returns a path whose parts are names or ids: `path_of("queues", "a/b", "$pause")`."""
    if not all(parts):
        raise OptionError("a name or an id is empty: give one")
    with sendable():
        return "".join(f"/{path_segment(part, safe='$')}" for part in parts)


def query_of(**given: Any) -> Query:
    """Returns a query of what is not None.

    A moment is written with its zone, a length of time in seconds, and each of several values by
    itself. Of a mapping each value is written after its name: `label=customer=7`.
    """
    with sendable():
        return tuple(
            (name, text)
            for name, value in given.items()
            if value is not None
            for text in _texts(name, value)
        )


def if_match(version: int | str | None) -> dict[str, str]:
    """Returns the headers of a change to that version only; None: to whichever it is.

    Raises `OptionError` for what no version is: visible ASCII without quotes.
    """
    if version is None:
        return {}
    if not re.fullmatch(r"[!#-\[\]-~]+", str(version)):
        raise OptionError(f"version={version!r} is not allowed: give the version of what was read")
    return {"If-Match": f'"{version}"'}


def data_of(**given: Any) -> dict[str, Any]:
    """Returns a JSON object of what is not None."""
    return {name: _data(value) for name, value in given.items() if value is not None}


def _texts(name: str, value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, inner in cast("Mapping[str, Any]", value).items():
            yield f"{key}={inner if name == 'label' else json.dumps(inner)}"
    elif isinstance(value, Iterable) and not isinstance(value, str):
        for one in cast("Iterable[Any]", value):
            yield from _texts(name, one)
    else:
        data = _data(value)
        yield data if isinstance(data, str) else json.dumps(data)


def _data(value: Any) -> Any:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise OptionError(f"{value} has no zone: give one, such as datetime.UTC")
        return value.isoformat()
    return value.total_seconds() if isinstance(value, timedelta) else value
