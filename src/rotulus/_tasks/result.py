"""Results of tasks: checked, written and read by the return annotation, as arguments are."""

import inspect
import sys
from collections.abc import Awaitable, Coroutine
from typing import Any, get_args, get_origin

import pydantic

from rotulus._jobs.encrypted import is_encrypted
from rotulus._tasks.annotations import EMPTY, Unresolved, first_sentence, materialised
from rotulus._tasks.checks import ResultCheck
from rotulus._tasks.payload import InvalidValuesError, PayloadType
from rotulus._tasks.problems import Wording
from rotulus._tasks.remedies import unstorable
from rotulus._text import jsontext
from rotulus.errors import ResultError

_NAME = "result"
_AS_IS: dict[str, tuple[type, ...]] = {
    "any": (str, int, float, bool),
    "int": (int,),
    "str": (str,),
    "float": (float,),
    "bool": (bool,),
}
"""Values that need no look at them: by the type of the schema, those of exactly these types."""

_LIKE_ENCRYPTED = (
    "the result is an object with one text under the name $cipher, which is how an encrypted value "
    "looks: give it another name"
)

_BEFORE = f'{{"{_NAME}":'
_AFTER = "}"


class ResultType:
    """The results of one task.

    A result has to fit the annotation, and comes back equal and of the same type. Without an
    annotation, or with one that pydantic cannot read, it has to be plain JSON.

    Args:
        title: the task, for messages: `count()`.
        site: where its function stands.
        annotation: what it says it returns.
        check: whether results are checked.
        show_values: whether messages may hold them.
    """

    def __init__(
        self,
        title: str,
        site: str,
        annotation: Any,
        check: ResultCheck = "check",
        *,
        show_values: bool = False,
    ) -> None:
        kind, self._note = _readable(_awaited(annotation))
        self._shown = f"{title} -> {_formatted(annotation)}" if annotation is not EMPTY else title
        self._site = site
        self._trust = check == "trust"
        wording = Wording(_named, show_values)
        self._type = PayloadType({_NAME: kind}, (_NAME,), wording)
        schema = self._type.schemas()[_NAME]
        self._is_open = schema == {"type": "any"}
        self._takes_none = schema["type"] in ("any", "none", "nullable") or self._trust
        self._as_is = frozenset(_AS_IS.get(schema["type"], ()) if len(schema) == 1 else ())

    def write(self, value: Any, max_bytes: int = sys.maxsize) -> str:
        """Returns the JSON text of a result.

        Raises:
            ResultError: it does not fit the annotation, would come back changed, has no JSON form,
                is too large, or looks like an encrypted value.
        """
        if value is None and self._takes_none:
            return "null"
        try:
            if self._trust or type(value) in self._as_is:
                text = jsontext.encode(value, max_bytes=max_bytes)
            else:
                text = self._text(value, max_bytes)
            if not is_encrypted(text):
                return text
            problem = _LIKE_ENCRYPTED
        except InvalidValuesError as error:
            problem = "; ".join(error.problems)
        except jsontext.NotJSONError as error:
            problem = f"the result {unstorable(error, value)}"
        raise ResultError(f"{self._shown}: {problem}{self._note}  ({self._site})")

    def json_schema(self) -> dict[str, Any]:
        """Returns the JSON Schema of a result; what it refers to is under its `$defs`."""
        whole = self._type.json_schema()
        schema: dict[str, Any] = whole["properties"][_NAME]
        return schema | ({"$defs": whole["$defs"]} if "$defs" in whole else {})

    def plain(self, value: Any) -> Any:
        """Returns a result as plain JSON data, in the form in which it would be written."""
        return value if self._is_open or self._trust else jsontext.decode(self.write(value))

    def read(self, text: str) -> Any:
        """Returns a result from its JSON text, in the type that the task says it returns.

        Raises:
            ResultError: the text was written for another annotation, and does not fit this one.
        """
        if self._is_open:
            return jsontext.decode(text)
        try:
            return self._type.read(f"{_BEFORE}{text}{_AFTER}")[_NAME]
        except InvalidValuesError as error:
            if self._trust:
                return jsontext.decode(text)
            problem = "; ".join(error.problems)
        raise ResultError(
            f"{self._shown}: {problem}; the result that is stored was written for another "
            f"annotation, and job.record.result has its text  ({self._site})"
        )

    def _text(self, value: Any, max_bytes: int) -> str:
        valid = self._type.validate({_NAME: value})
        whole = self._type.dump(valid)
        text = whole[len(_BEFORE) : -len(_AFTER)]
        jsontext.check_text(text, max_bytes)
        self._type.verify(valid, whole)
        return text


def _named(path: str) -> str:
    return path.replace(_NAME, "the result", 1)


def _awaited(annotation: Any) -> Any:
    """Returns the type that a coroutine is awaited to: a plain function may return a coroutine."""
    if get_origin(annotation) in (Awaitable, Coroutine):
        return get_args(annotation)[-1]
    return annotation


def _readable(annotation: Any) -> tuple[Any, str]:
    """A type that pydantic can read, and what is wrong with the annotation if it is not that."""
    if annotation is EMPTY:
        return Any, ""
    if isinstance(annotation, Unresolved):
        return Any, f" ({annotation.problem})"
    kind = materialised(annotation)
    try:
        pydantic.TypeAdapter(kind)
    except Exception as error:  # noqa: BLE001 - the type's own code is run
        return Any, f" (pydantic cannot read the annotation: {first_sentence(error)})"
    return kind, ""


def _formatted(annotation: Any) -> str:
    return (
        str(annotation)
        if isinstance(annotation, Unresolved)
        else (inspect.formatannotation(annotation))
    )
