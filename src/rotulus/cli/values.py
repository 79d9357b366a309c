"""Values from words of the command line: arguments such as `user_id=7`, numbers, and times."""

import json
import re
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, TypeVar, cast

import click

from rotulus import App, filters
from rotulus._time.words import length_of, moment_of
from rotulus.errors import OptionError

F = TypeVar("F", bound=Callable[..., Any])

_NAMED = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
_FROM_NOW = "; for a time from now there is --in SECONDS"
_OBJECT = """give named arguments as one object, such as '{"user_id": 7}'"""
_TEXT = frozenset({"<class 'str'>", "str | None", "typing.Optional[str]"})


class CallWords(NamedTuple):
    """The arguments of a call."""

    args: list[Any]
    kwargs: dict[str, Any]


def read_call(app: App, task: str, words: Sequence[str], document: str | None) -> CallWords:
    """The call that words describe: `name=value` is a named argument, anything else positional.

    A value is JSON where it can be read as JSON, else text; for a parameter that is a `str` it
    is always text. A whole JSON object of named arguments can be given as `document`.
    """
    texts = _text_parameters(app, task)
    args: list[Any] = []
    kwargs = {} if document is None else read_document(document, "--json-args")
    for word in words:
        found = _NAMED.fullmatch(word)
        if found is None:
            args.append(_value(word, text=len(args) < len(texts) and texts[len(args)][1]))
        else:
            kwargs[found[1]] = _value(found[2], text=dict(texts).get(found[1], False))
    return CallWords(args, kwargs)


def read_seconds(text: str | None) -> float | None:
    """Returns a number of seconds, as `--in` takes it."""
    if text is None:
        return None
    with suppress(ValueError):
        if 0 <= (seconds := float(text)) < float("inf"):
            return seconds
    raise click.BadParameter(
        f"{text!r} is no number of seconds: write 90 for a minute and a half, or give a moment "
        f"with --at 2026-11-20T09:30",
        param_hint="--in",
    )


@contextmanager
def refused(option: str | None = None) -> Generator[None, None, None]:
    """Says that a word is wrong, where a block raises `OptionError`.

    Args:
        option: the option of the word, unless click knows it.
    """
    try:
        yield
    except OptionError as error:
        raise click.BadParameter(str(error), param_hint=option) from None


def read_labels(words: Sequence[str]) -> dict[str, str] | None:
    """Returns labels by name, as `--label customer=7` gives each."""
    with refused("--label"):
        return filters.read_labels(words) or None


def read_time(text: str | None, option: str = "--at") -> datetime | None:
    """Returns a moment, as `--at` and other options take it: in UTC, unless it says."""
    if text is None:
        return None
    moment = moment_of(text)
    if moment is None:
        raise click.BadParameter(
            f"{text!r} is no ISO 8601 time: write 2026-11-20T09:30, which is UTC, or "
            f"2026-11-20T09:30+01:00{_FROM_NOW if option == '--at' else ''}",
            param_hint=option,
        )
    return moment


def read_when(text: str) -> datetime | float:
    """Returns a moment that is over, or how many seconds ago it was, as `--since` takes both."""
    with refused():
        return filters.read_when(text)


def read_length(text: str) -> float:
    """Returns a length of time in seconds, as `--every` takes it: `90`, `15min`, `2h`, `7d`."""
    seconds = length_of(text)
    if seconds is None:
        raise click.BadParameter(
            f"{text!r} is no length of time: write 90 (seconds), 15min, 2h or 7d"
        )
    return seconds


def read_rate(text: str) -> tuple[int, float]:
    """Returns how many may start within how many seconds: `100/min`, `5/s`, `10/90`, `100/5min`."""
    number, _, length = text.partition("/")
    seconds = length_of(length) or length_of(f"1{length}")
    if re.fullmatch(r" *[1-9][0-9]{0,6} *", number) and length and seconds:
        return int(number), seconds
    raise click.BadParameter(f"{text!r} is no rate: write 100/min, 5/s, or 10/90 (seconds)")


def when_option(name: str, what: str, **more: Any) -> Callable[[F], F]:
    """An option for `read_when`, with a help text that says how to write a moment.

    Args:
        name: its name.
        what: what it does with the moment, as in "Only jobs added since".
        more: as `click.option` takes it.
    """
    how = f"{what}: 90, 15min, 2h, 7d ago, or 2026-11-20T09:30 (UTC)."
    return click.option(name, type=read_when, metavar="WHEN", help=how, **more)


def as_moment(when: datetime | float) -> datetime:
    """Returns the moment that `read_when` has read."""
    return when if isinstance(when, datetime) else datetime.now(UTC) - timedelta(seconds=when)


def _text_parameters(app: App, task: str) -> list[tuple[str, bool]]:
    """Returns the parameters of a task, and whether each is text."""
    if not app.registry.has(task):
        return []
    return [(p.name, p.annotation in _TEXT) for p in app.registry.get_info(task).parameters]


def read_document(text: str, option: str) -> dict[str, Any]:
    """Returns the named arguments of a JSON object."""
    try:
        value = json.loads(text)
    except ValueError as error:
        raise click.BadParameter(f"not JSON: {error}; {_OBJECT}", param_hint=option) from None
    if not isinstance(value, dict):
        raise click.BadParameter(f"no JSON object; {_OBJECT}", param_hint=option)
    return cast("dict[str, Any]", value)


def _value(word: str, *, text: bool) -> Any:
    if text:
        return word
    try:
        return json.loads(word)
    except ValueError:
        return word


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
        """Returns the number of a word."""
        try:
            int(value)
        except ValueError:
            most = f" to {self.max:,}" if self.max is not None else ""
            text = f"{value!r} is not a whole number from {self.min:,}{most}, such as "
            self.fail(f"{text}{self._example}", param, ctx)
        return super().convert(value, param, ctx)


def seconds_like(example: float) -> Callable[[Any], float]:
    """Reads a number of seconds; the setting itself decides whether it is allowed."""

    def seconds(value: Any) -> float:
        try:
            return float(value)
        except ValueError:
            text = f"{value!r} is not a number of seconds, such as {example:g}"
            raise click.BadParameter(text) from None

    return seconds


def timezone_option(default: str | None) -> Callable[[F], F]:
    """`--timezone`, or `--tz` for short: the zone in which an expression is read."""
    return click.option(
        "--timezone",
        "--tz",
        metavar="ZONE",
        default=default,
        show_default=default is not None,
        help="Its time zone, such as Europe/London.",
    )
