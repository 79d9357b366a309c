"""Messages about values that would come back changed, with advice."""

import datetime as dt
from functools import partial
from itertools import islice
from types import FunctionType, MethodType
from typing import Any

import pydantic

from rotulus._tasks.comparing import Difference
from rotulus._tasks.problems import a_type, everything_in, with_article
from rotulus._tasks.symmetry import Symmetry
from rotulus._text import jsontext

_PLAIN = (
    "without a type only plain JSON comes back as it was (str, int, float, bool, None, lists, "
    "dicts with str keys), so annotate it with its type"
)
_NOT_WRITTEN = (
    "a secret is not written into a table that others read, so pass the name of the secret and "
    "let the task look it up"
)
_ONCE = "it can be read only once, so ask for a list"
_OFFSET = "an offset from UTC is written without its seconds, so convert it to UTC"
_ZONE = "a time alone has no offset from UTC in its zone, so annotate with datetime"
_TWO_WAYS = (
    "its type does not read again what it writes, as with an excluded field or a serializer of "
    "its own"
)
_MODEL_BYTES = (
    "bytes in a model are text unless it has ConfigDict(ser_json_bytes='base64', "
    "val_json_bytes='base64')"
)
_CODE = "a function is code and not data, so make it a task, or pass a name that stands for it"
_MOST_PARTS = 10_000
"""How many parts of a value are looked at."""

_ORM = "it belongs to a database, so pass its id and let the task load it"


def changed(found: Difference, known: Symmetry) -> str:
    """Returns the change of a value, and advice: `is a tuple and would come back as a list`."""
    what = f"has {a_type(found.written)} as a key, which" if found.in_key else _is_a(found.written)
    same = type(found.written) is type(found.read)
    back = "changed" if same else f"as {a_type(found.read)}"
    return f"{what} would come back {back}: {_remedy(found.written, found.read, known)}"


def unreadable(values: object) -> str:
    """Returns the message about values that cannot be read back at all."""
    return _NOT_WRITTEN if any(map(_is_secret, everything_in(values))) else _TWO_WAYS


def unstorable(error: jsontext.NotJSONError, value: object = None) -> str:
    """Returns the message about a value without a JSON form to store, with advice."""
    if isinstance(error, jsontext.TooLargeError):
        return f"{error}: a larger App(max_bytes=) takes it"
    if "utf-8" in str(error):
        return f"{error}: {_MODEL_BYTES}"
    parts = list(islice(everything_in(value), _MOST_PARTS))
    if any(is_of_orm(type(part)) for part in parts):
        return f"{error}: {_ORM}"
    is_code = any(isinstance(part, FunctionType | MethodType | partial) for part in parts)
    return f"{error}: {_CODE}" if is_code else str(error)


def is_of_orm(kind: Any) -> bool:
    """Whether a class is one that SQLAlchemy, Django or one of their kind maps to a table."""
    return any(hasattr(kind, mark) for mark in ("__mapper__", "__tablename__", "_meta"))


def _is_a(value: object) -> str:
    return f"is {a_type(value)} and"


def _remedy(written: object, read: object, known: Symmetry) -> str:
    if is_of_orm(type(written)):
        return _ORM
    if known is Symmetry.OPEN:
        return _PLAIN
    if _is_secret(written):
        return _NOT_WRITTEN
    if hasattr(written, "__next__"):
        return _ONCE
    if isinstance(written, dt.datetime | dt.time):
        return _OFFSET if written.utcoffset() is not None else _ZONE
    if type(written) is not type(read) and isinstance(written, type(read)):
        name = type(written).__name__
        return f"annotate with {name}, or with a union that has {with_article(name)} in it"
    if isinstance(read, list):
        return f"pass a list, or annotate with {type(written).__name__}"
    return _TWO_WAYS


def _is_secret(value: object) -> bool:
    return isinstance(value, pydantic.SecretStr | pydantic.SecretBytes | pydantic.Secret)
