"""The standard streams as a program finds them: closed, in another encoding, or read no further."""

import io
import os
import sys

_STREAMS = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))
"""By their numbers."""


def prepare_streams() -> None:
    """Make each standard stream one that can be used.

    A daemon may start us with closed streams: what is opened first would take their numbers, and
    be written to by whoever means standard error. A letter that the encoding of a stream does not
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
    """Write no more: whoever read what we print has read enough."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for number in (1, 2):
        try:
            os.write(number, b"")
            (sys.stdout, sys.stderr)[number - 1].flush()
        except OSError:
            os.dup2(nowhere, number)


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True
