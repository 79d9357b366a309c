"""Options of the program `rotulus` for commands of Django: the same words and checks."""

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Collection
from typing import Any

import click


def add_options(parser: ArgumentParser, command: click.Command, names: Collection[str]) -> None:
    """Add options of a command of `rotulus` to a parser of Django's.

    Args:
        parser: the parser.
        command: the command of `rotulus` with these options.
        names: the options to add. An option that is not given is None, or False if it is a flag.
    """
    for option in command.params:
        if isinstance(option, click.Option) and option.name in names:
            _add(parser, option)


def _add(parser: ArgumentParser, option: click.Option) -> None:
    if option.is_flag:
        parser.add_argument(*option.opts, action="store_true", help=option.help)
    else:
        metavar = option.metavar or (option.name or "").rpartition("_")[2].upper()
        parser.add_argument(*option.opts, type=_reader(option), metavar=metavar, help=option.help)


def _reader(option: click.Option) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        try:
            return option.type.convert(text, option, None)
        except click.UsageError as error:
            raise ArgumentTypeError(error.message) from None

    return read
