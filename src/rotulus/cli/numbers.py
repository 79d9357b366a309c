"""Numbers as options take them: a word that is none is answered with what would do."""

from collections.abc import Callable
from typing import Any

import click


class Whole(click.IntRange):
    """A whole number.

    Args:
        least: the least that is allowed.
        most: the most; None: there is no end.
        example: a number that would do.
    """

    def __init__(self, least: int, most: int | None = None, *, example: int) -> None:
        super().__init__(least, most)
        self._example = example

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number of a word."""
        try:
            int(value)
        except ValueError:
            most = f" to {self.max:,}" if self.max is not None else ""
            text = f"{value!r} is not a whole number from {self.min:,}{most}, such as "
            self.fail(f"{text}{self._example}", param, ctx)
        return super().convert(value, param, ctx)


def seconds_like(example: float) -> Callable[[Any], float]:
    """What reads a number of seconds; whether it is allowed is for the setting to say."""

    def seconds(value: Any) -> float:
        try:
            return float(value)
        except ValueError:
            text = f"{value!r} is not a number of seconds, such as {example:g}"
            raise click.BadParameter(text) from None

    return seconds
