"""The JSON form of named values of given types: what is written is what is read."""

import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, cast

import pydantic
import pydantic_core
from typing_extensions import TypedDict

from rotulus._tasks.comparing import difference
from rotulus._tasks.problems import Wording, sentences
from rotulus._tasks.remedies import changed, unreadable, unstorable
from rotulus._tasks.symmetry import Symmetry, symmetry
from rotulus._text import jsontext

_CONFIG = pydantic.ConfigDict(
    extra="forbid",
    validate_by_alias=True,
    validate_by_name=True,
    val_json_bytes="base64",
    ser_json_bytes="base64",
    ser_json_inf_nan="constants",  # so that they are found, and refused, where they are written
)


class InvalidValuesError(Exception):
    """Values do not fit their types, or have no JSON form; one sentence for each problem."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(*problems)
        self.problems = list(problems)


class PayloadType:
    """Validates, writes and reads one JSON object with fields of given types.

    Fields of models and dataclasses stand in the JSON by their own names; an alias is read as
    well. So it does not matter which of their aliases are for reading, and which for writing.

    Args:
        fields: name to type.
        required: the fields that may not lack.
        wording: how problems are told.

    Raises:
        pydantic.PydanticUserError: a type is not one that pydantic can read.
    """

    def __init__(
        self, fields: Mapping[str, Any], required: Collection[str], wording: Wording
    ) -> None:
        self._adapter = pydantic.TypeAdapter(_typed_dict(fields, required))
        self._wording = wording
        self._known = {name: symmetry(schema) for name, schema in self.schemas().items()}
        self._unsure = any(known is not Symmetry.SYMMETRIC for known in self._known.values())
        # Types that are known to be symmetric have no aliases inside.
        reading = {"by_alias": True, "by_name": True} if self._unsure else {}
        writing = {"by_alias": False, "round_trip": True} if self._unsure else {}
        self._validate = partial(self._adapter.validator.validate_python, **reading)
        self._read = partial(self._adapter.validator.validate_json, **reading)
        # TypeAdapter's own serialiser does not see the configuration of a TypedDict.
        config = pydantic_core.CoreConfig(ser_json_bytes="base64", ser_json_inf_nan="constants")
        serialise = pydantic_core.SchemaSerializer(self._adapter.core_schema, config).to_json
        self._serialise = partial(serialise, warnings=False, **writing)

    def schemas(self) -> dict[str, Any]:
        """Returns the core schema of each field."""
        schema = cast("dict[str, Any]", self._adapter.core_schema)
        whole = schema["schema"] if schema["type"] == "definitions" else schema
        return {name: field["schema"] for name, field in whole["fields"].items()}

    def json_schema(self) -> dict[str, Any]:
        """Returns the JSON Schema of the object."""
        return self._adapter.json_schema()

    def validate(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the values, converted to their types. Raises `InvalidValuesError`."""
        try:
            return self._validate(values)
        except Exception as error:  # noqa: BLE001 - a type's own validator may raise anything
            problems = self._problems(error, values, self._validate)
        raise InvalidValuesError(problems)

    def read(self, text: str) -> dict[str, Any]:
        """The values of a JSON text, converted to their types. Raises `InvalidValuesError`."""
        try:
            return self._read(text)
        except Exception as error:  # noqa: BLE001 - a type's own validator may raise anything
            problems = self._problems(error, _decoded(text), self._read_one)
        raise InvalidValuesError(problems)

    def write(self, values: Mapping[str, Any], max_bytes: int) -> str:
        """Returns the JSON text of validated values, from which they can be read again.

        Raises:
            InvalidValuesError: a value has no JSON form, would come back changed, or is too large.
        """
        try:
            text = self.dump(values)
            jsontext.check_text(text, max_bytes)
        except jsontext.NotJSONError as error:
            problems = list(self._culprits(values, max_bytes))
            # An iterator may have been used up by now, so that no value seems to be to blame.
            names = [f"argument {name!r}" for name in values]
            which = names[0] if len(names) == 1 else "arguments: together they"
            raise InvalidValuesError(problems or [f"{which} {unstorable(error)}"]) from None
        self.verify(values, text)
        return text

    def dump(self, values: Mapping[str, Any]) -> str:
        """Returns the JSON text of validated values, of any kind. Raises `NotJSONError`."""
        try:
            return self._serialise(values).decode()
        except pydantic_core.PydanticSerializationError as error:
            reason = self._wording.hide(_reason(error), values)
        except Exception as error:  # noqa: BLE001 - a type may write itself with its own code
            reason = self._raised(error, values)
        raise jsontext.NotJSONError(f"is not JSON: {reason}")

    def verify(self, values: Mapping[str, Any], text: str) -> None:
        """Read a text back, unless all types are known to be symmetric.

        Raises:
            InvalidValuesError: a value does not come back, or not as it was.
        """
        # In a key a lone surrogate is replaced without a word: by what may stand there anyway.
        if not self._unsure and "\ufffd" not in text:
            return
        try:
            back = self.read(text)
        except InvalidValuesError as error:
            why = unreadable(values)
            problems = [f"{problem}: {why}" for problem in error.problems]
        else:
            problems = list(self._changes(values, back))
        if problems:
            raise InvalidValuesError(problems)

    def _changes(self, values: Mapping[str, Any], back: Mapping[str, Any]) -> Iterator[str]:
        for name, known in self._known.items():
            value, read = values.get(name), back.get(name)
            if known is Symmetry.OPEN and value == read:
                continue
            found = difference(value, read)
            if found:
                where = self._wording.at((name, *found.place))
                yield f"{where} {changed(found, known)}"

    def _culprits(self, values: Mapping[str, Any], max_bytes: int) -> Iterator[str]:
        for name, value in values.items():
            try:
                jsontext.check_text(self.dump({name: value}), max_bytes)
            except jsontext.NotJSONError as error:
                yield f"{self._wording.at((name,))} {unstorable(error, value)}"

    def _problems(
        self, error: Exception, values: Any, again: Callable[[dict[str, Any]], Any]
    ) -> list[str]:
        if isinstance(error, pydantic.ValidationError):
            return list(sentences(error, values, self._field_names(), self._wording))
        where = next((self._wording.at((n,)) for n in values if _raises(again, n, values[n])), "")
        return [f"{where or 'the arguments'}: the code of its type {self._raised(error, values)}"]

    def _raised(self, error: Exception, values: object) -> str:
        return f"raised {type(error).__name__}: {self._wording.hide(_text(error), values)}"

    def _read_one(self, values: Mapping[str, Any]) -> object:
        return self._read(jsontext.encode(values, max_bytes=sys.maxsize))

    def _field_names(self) -> frozenset[str]:
        return frozenset(_names_in(self._adapter.core_schema))


def _typed_dict(fields: Mapping[str, Any], required: Collection[str]) -> Any:
    # The functional form takes its fields at run time, which type checkers do not follow.
    make = cast("Callable[..., Any]", TypedDict)
    kind = make("Arguments", dict(fields), total=False)
    # Not Required[...] of each: typing keeps what it made in a cache, where datetime | str and
    # str | datetime are one, and what is read first is not.
    kind.__required_keys__ = frozenset(required)
    return pydantic.with_config(_CONFIG)(kind)


def _names_in(schema: object) -> Iterator[str]:
    """The texts that a schema consists of: the names of fields, and their aliases."""
    if isinstance(schema, Mapping):
        part = cast("Mapping[str, Any]", schema)
        if isinstance(part.get("fields"), Mapping):
            yield from part["fields"]
        for inner in part.values():
            yield from _names_in(inner)
    elif isinstance(schema, list | tuple):
        for inner in cast("list[Any]", schema):
            yield from _names_in(inner)
    elif isinstance(schema, str):
        yield schema


def _raises(again: Callable[[dict[str, Any]], Any], name: str, value: Any) -> bool:
    """Returns whether it is this value at which the code of a type raises."""
    try:
        again({name: value})
    except pydantic.ValidationError:
        return False
    except Exception:  # noqa: BLE001 - that is the question
        return True
    return False


def _decoded(text: str) -> Any:
    try:
        return jsontext.decode(text)
    except jsontext.NotJSONError:
        return {}


def _text(error: Exception) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - __str__ is the error's own code
        return ""


def _reason(error: pydantic_core.PydanticSerializationError) -> str:
    text = str(error).removeprefix("Error serializing to JSON: ")
    return "it holds a lone surrogate" if "surrogates not allowed" in text else text
