"""The JSON form of named values of given types: validated on the way in and on the way out."""

import reprlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, cast

import pydantic
import pydantic_core
from typing_extensions import TypedDict

from rotulus._text import jsontext


class InvalidValuesError(Exception):
    """Values do not fit their types, or have no JSON form; one sentence for each problem."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(*problems)
        self.problems = list(problems)


class PayloadType:
    """Validates, writes and reads one JSON object with fields of given types.

    Args:
        fields: name to type; `Required[...]` or `NotRequired[...]` says whether it may lack.

    Raises:
        pydantic.PydanticUserError: a type is not one that pydantic can read.
    """

    def __init__(self, fields: Mapping[str, Any]) -> None:
        # The functional form takes its fields at run time, which type checkers do not follow.
        make = cast("Callable[[str, Mapping[str, Any]], type[dict[str, Any]]]", TypedDict)
        config = pydantic.ConfigDict(extra="forbid", val_json_bytes="base64")
        kind = pydantic.with_config(config)(make("Arguments", fields))
        self._adapter = pydantic.TypeAdapter(kind)
        self._validate = self._adapter.validator.validate_python
        self._read = self._adapter.validator.validate_json
        # TypeAdapter's own serialiser does not see the configuration of a TypedDict.
        config = pydantic_core.CoreConfig(ser_json_bytes="base64", ser_json_inf_nan="constants")
        self._serialise = pydantic_core.SchemaSerializer(self._adapter.core_schema, config).to_json

    def json_schema(self) -> dict[str, Any]:
        """The JSON Schema of the object."""
        return self._adapter.json_schema()

    def validate(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The values, converted to their types. Raises `InvalidValuesError`."""
        try:
            return self._validate(values)
        except pydantic.ValidationError as error:
            raise InvalidValuesError(list(_problems(error))) from None

    def read(self, text: str) -> dict[str, Any]:
        """The values of a JSON text, converted to their types. Raises `InvalidValuesError`."""
        try:
            return self._read(text)
        except pydantic.ValidationError as error:
            raise InvalidValuesError(list(_problems(error))) from None

    def write(self, values: Mapping[str, Any], max_bytes: int) -> str:
        """The JSON text of validated values. Raises `InvalidValuesError`, naming the fields."""
        try:
            return self._text(values, max_bytes)
        except jsontext.NotJSONError as error:
            problems = list(self._culprits(values, max_bytes))
            raise InvalidValuesError(problems or [f"arguments: together they {error}"]) from None

    def _culprits(self, values: Mapping[str, Any], max_bytes: int) -> Iterator[str]:
        for name, value in values.items():
            try:
                self._text({name: value}, max_bytes)
            except jsontext.NotJSONError as error:
                yield f"argument {name!r} {error}"

    def _text(self, values: Mapping[str, Any], max_bytes: int) -> str:
        try:
            text = self._serialise(values, warnings=False).decode()
        except pydantic_core.PydanticSerializationError as error:
            raise jsontext.NotJSONError(f"is not JSON: {_reason(error)}") from None
        jsontext.check_text(text, max_bytes)
        return text


def _problems(error: pydantic.ValidationError) -> Iterator[str]:
    for detail in error.errors(include_url=False):
        where = _path(detail["loc"])
        if detail["type"] == "missing" and len(detail["loc"]) == 1:
            yield f"is missing the argument {where!r}"
        else:
            yield f"argument {where!r}: {detail['msg']} (got {reprlib.repr(detail['input'])})"


def _path(location: Sequence[int | str]) -> str:
    if not location:
        return "arguments"
    head, *rest = location
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in rest)
    return f"{head}{''.join(steps)}"


def _reason(error: pydantic_core.PydanticSerializationError) -> str:
    text = str(error).removeprefix("Error serializing to JSON: ")
    return "it holds a lone surrogate" if "surrogates not allowed" in text else text
