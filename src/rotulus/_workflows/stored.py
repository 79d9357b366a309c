"""The arguments of a part's job: its needs, its place, and its context."""

import sys
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, cast

from rotulus._text import jsontext
from rotulus._workflows.marks import Place

ITEM = "item"
"""The key of a branch's item: in its arguments, and in the context it is given."""

_CONTEXT, _EDITED, _NEEDS, _PLACE, _SKIP = "context", "edited", "needs", "at", "skip"

_SKIPPED = f'"{_SKIP}":true}}'
"""The end of the arguments of a step that is to be skipped; a retry in SQL knows it, too."""

_SHORT = 4096
"""Characters of arguments that may be kept in memory, many at once."""


class Stored(NamedTuple):
    """The arguments of a part. They are written when the run begins, and again by a replay.

    A step that waits again is stored without them, and so is a step of an older version: its needs
    are the jobs that its job waits for.

    Attributes:
        needs: the ids of the steps that it waits for, in the order in which they are merged; None
            if that has to be looked up.
        place: where it stands, if its context may meet that of another step later.
        context: the context that it is given, if that need not be read.
        edited: whether somebody has replayed it with that context.
        item: of a branch, its item.
        is_branch: whether it is one.
        skip: whether an operator has said that it is to be skipped when its turn comes.
    """

    needs: tuple[str, ...] | None = None
    place: Place | None = None
    context: Mapping[str, Any] | None = None
    edited: bool = False
    item: Any = None
    is_branch: bool = False
    skip: bool = False

    def replayed(self, context: Mapping[str, Any] | None, max_bytes: int) -> str:
        """The arguments of the same part for a replay: with a context of somebody's, or without.

        Args:
            context: the context, if somebody gives one.
            max_bytes: the most bytes of a new value. A stored value stays.

        Raises:
            NotJSONError: the context is too large.
        """
        if self.is_branch:
            return jsontext.encode({ITEM: self.item}, max_bytes=sys.maxsize)
        text = written(self.needs, self.place)
        if context is not None:
            return _with_context(text, jsontext.encode(context, max_bytes=max_bytes), edited=True)
        if self.context is not None and not self.edited:
            kept = jsontext.encode(self.context, max_bytes=sys.maxsize)
            return _with_context(text, kept, edited=False)
        return text


def read(text: str, step: str) -> Stored:
    """Returns the arguments of the job of a step.

    Args:
        text: the arguments, as JSON text.
        step: the step's id.
    """
    return _read_again(text, step) if len(text) < _SHORT else _read(text, step)


def _read(text: str, step: str) -> Stored:
    data = jsontext.decode(text)
    if ITEM in data:
        return Stored(item=data[ITEM], is_branch=True)
    context, edited = data.get(_CONTEXT), data.get(_EDITED, False)
    needs = data.get(_NEEDS, () if context is not None and not edited else None)
    place = data.get(_PLACE, (step, 1) if needs is None else None)
    return Stored(
        None if needs is None else tuple(cast("Sequence[str]", needs)),
        None if place is None else (place[0], place[1]),
        context,
        edited,
        skip=data.get(_SKIP) is True,
    )


_read_again = lru_cache(maxsize=1024)(_read)
"""It is asked for several times while a step is prepared."""


def to_be_skipped(text: str) -> str:
    """Returns the arguments of a step that is to be skipped when its turn comes.

    Args:
        text: its arguments, as JSON text.
    """
    if text.endswith(_SKIPPED):
        return text
    return f"{{{_SKIPPED}" if text == "{}" else f"{text[:-1]},{_SKIPPED}"


def written(needs: Sequence[str] | None, place: Place | None, context: str | None = None) -> str:
    """Returns the arguments of a step, as JSON text.

    Args:
        needs: what it needs.
        place: where it stands.
        context: the context it is given, as JSON text, if it is known and not too long.
    """
    if context is not None and not needs:
        return _with_context(written(None, place), context, edited=False)
    data: dict[str, Any] = {} if needs is None else {_NEEDS: needs}
    return jsontext.encode(data if place is None else {**data, _PLACE: place})


def _with_context(text: str, context: str, *, edited: bool) -> str:
    rest = text[1:] if text == "{}" else f",{text[1:]}"
    more = f',"{_EDITED}":true' if edited else ""
    return f'{{"{_CONTEXT}":{context}{more}{rest}'
