"""Options that stand in front of a command: where the jobs live, and the app."""

from collections.abc import Sequence

import click

FRONT = ("--url", "--app")
"""Options that most commands have, and that people write first."""


def behind_command(words: Sequence[str], program: click.Group) -> list[str]:
    """Returns the words of a command line, with these options as if they stood behind the command.

    So `rotulus --url URL ls jobs --json` is `rotulus ls jobs --url URL --json`, and a command that
    has no such option says so. They stand in front of its own words, whose last one may lack its
    value. Where no command follows, the words stay as they are.

    Args:
        words: the words behind the name of the program.
        program: the program, which knows its commands.

    Raises:
        click.UsageError: one of them stands behind the command, too: which one is meant?
    """
    options, rest = _front_of(list(words))
    if not rest or rest[0].startswith("-"):
        return list(words)
    end = rest.index("--") if "--" in rest else len(rest)
    twice = _names(options) & _names(rest[:end])
    if twice:
        raise click.UsageError(
            f"{min(twice)!r} stands in front of the command, and behind it: give one of them"
        )
    at = _command_end(rest, program) if options else 0
    return [*rest[:at], *options, *rest[at:]]


def _command_end(words: Sequence[str], program: click.Group) -> int:
    """Returns how many words name the command: `ls jobs` are two. A wrong name counts as one."""
    command: click.Command | None = program
    at = 0
    while isinstance(command, click.Group) and at < len(words) and not words[at].startswith("-"):
        command = command.get_command(click.Context(command), words[at])
        at += 1
    return at


def _front_of(words: list[str]) -> tuple[list[str], list[str]]:
    """Returns the options that words begin with, and the words behind them."""
    at = 0
    while at < len(words):
        name, has_value, _ = words[at].partition("=")
        if name not in FRONT:
            break
        at += 1 if has_value else 2
    return words[:at], words[at:]


def _names(words: Sequence[str]) -> set[str]:
    return {word.partition("=")[0] for word in words} & set(FRONT)
