"""The standard streams: closed, in another encoding, read no further; and a question on them."""

import io
import os
import sys

import click

INTERRUPTED = 130
"""The exit code after Ctrl-C: 128 and the number of SIGINT."""

_STREAMS = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))
"""By their numbers."""


def prepare_streams() -> None:
    """Make each standard stream one that can be used.

    A daemon may start us with closed streams: what is opened first would take their numbers, and
    be written to by code that means standard error. A letter that the encoding of a stream does not
    have is written as its number.
    """
    for number, (name, mode) in enumerate(_STREAMS):
        if getattr(sys, name) is None and not _is_open(number):
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            stream = open(number, mode, encoding="utf-8", closefd=False)  # noqa: SIM115 - for good
            setattr(sys, name, stream)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def leave_streams() -> None:
    """Write no more: the reader of our output has read enough."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for number in (1, 2):
        try:
            os.write(number, b"")
            (sys.stdout, sys.stderr)[number - 1].flush()
        except OSError:
            os.dup2(nowhere, number)


def ask(question: str) -> bool | None:
    """Returns whether somebody agrees; None when there is nobody to answer.

    Ctrl-C ends the program with 130, and says that nothing was done.
    """
    try:
        return click.confirm(question, err=True)
    except click.Abort as error:
        click.echo(err=True)
        if isinstance(error.__context__, KeyboardInterrupt):  # click ends a question so, too
            click.echo("Interrupted: nothing was done.", err=True)
            sys.exit(INTERRUPTED)
        return None


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True
