"""The value that a step hands on: its context, with marks of the changes in it."""

from collections.abc import Mapping
from typing import Any, Self, cast

from rotulus._text import jsontext
from rotulus._workflows.context import MARKS, Context, texts_of
from rotulus._workflows.marks import (
    MISSING,
    UNMARKED,
    Marks,
    Place,
    Version,
    from_json,
    latest,
    marked,
    to_json,
)

_NOT_MARKED: Mapping[str, Marks] = {}
_BEGINNING = f'{{"{MARKS}":'


class HandedOn(Context):
    """A context that knows which of its values have been changed, and by which steps.

    Args:
        data: what is in it.
        marks: by key, also for removed values; a key that is missing has not changed since the
            workflow began.
    """

    def __init__(
        self, data: Mapping[str, Any] | None = None, marks: Mapping[str, Marks] = _NOT_MARKED
    ) -> None:
        super().__init__(data)
        self.marks = marks

    @classmethod
    def of_texts(cls, texts: dict[str, str], marks: Mapping[str, Marks]) -> Self:
        """One of JSON texts by key, which are known to be right."""
        made = cls(marks=marks)
        made._texts = texts
        return made

    @staticmethod
    def is_marked(text: str) -> bool:
        """Returns whether a text is one that `to_text` has written, and not a body's own."""
        return text.startswith(_BEGINNING)

    @classmethod
    def from_text(cls, text: str) -> Self | None:
        """Returns the value of a text from `to_text`; None if the text is of another value."""
        data = jsontext.decode(text)
        if not isinstance(data, dict):
            return None
        values = cast("dict[str, Any]", data)
        stored = cast("dict[str, Any]", values.pop(MARKS, _NOT_MARKED))
        return cls(values, {key: from_json(marks) for key, marks in stored.items()})

    def to_text(self) -> str:
        """All of it, as the text of one JSON object: first the marks, and then the values."""
        text = self.to_json()
        marks = jsontext.encode({key: to_json(marks) for key, marks in self.marks.items()})
        return f"{_BEGINNING}{marks}{',' if len(self) else ''}{text[1:]}"

    def changed_to(self, after: Context, place: Place | None) -> "HandedOn":
        """Returns the value that a step hands on if it left this as it was.

        Args:
            after: the context as the step left it.
            place: where the step stands; None if no other step's context will ever meet its own.
        """
        if place is None:
            return HandedOn(after)
        was, now = texts_of(self), texts_of(after)
        changed = [key for key in {**was, **now} if was.get(key) != now.get(key)]
        marks = {
            key: marked(
                self.get(key, MISSING),
                after.get(key, MISSING),
                self.marks.get(key, UNMARKED),
                place,
            )
            for key in changed
        }
        return HandedOn.of_texts(now, {**self.marks, **marks})

    def with_text(self, key: str, text: str, place: Place | None) -> "HandedOn":
        """Returns the same with one value more, or another one, given as JSON text.

        Args:
            key: its key.
            text: the text; it is known to be right.
            place: where the step stands that sets it.
        """
        texts = {**texts_of(self), key: text}
        if place is None:
            return HandedOn.of_texts(texts, self.marks)
        version: Version = latest([self.marks.get(key, UNMARKED).whole, dict([place])])
        return HandedOn.of_texts(texts, {**self.marks, key: Marks(version)})


def plain_text(text: str) -> str:
    """Returns a handed-on value for people: without the marks."""
    return Context.from_json(text).to_json() if HandedOn.is_marked(text) else text
