"""Terminals of a given width, and what a program shows on them."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios

PATIENCE = 60
"""Seconds for a program to say more; then it hangs, and is killed."""

AGAIN = 5
"""Seconds of silence after which Ctrl-C is pressed again, as people do."""

_STYLES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def shown(width, *words, answer="", question="", before=(), **environment):
    """What `rotulus` shows on a terminal of that width, line by line, and its exit code.

    The answer is typed when the question is shown, or at once. Python does not hear a Ctrl-C that
    comes between the question and its reading of the answer: that one is pressed again. Before,
    functions are called, each when its text is shown: pairs of a text and a function.
    """
    child, terminal = pty.fork()
    if child == 0:
        os.environ.update(environment, TERM="xterm", COLUMNS=str(width))
        fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))
        os.execv(sys.executable, [sys.executable, "-m", "rotulus", *words])
    for text, act in before:
        told = b""
        while text.encode() not in told and (more := _read(terminal, child)):
            told += more
        act()
    told = b""
    while question.encode() not in told and (more := _read(terminal, child)):
        told += more
    if answer:
        os.write(terminal, answer.encode())
    interruption = answer.encode() if answer == "\x03" else b""
    while more := _read(terminal, child, interruption):
        told += more
    _, status = os.waitpid(child, 0)
    os.close(terminal)
    text = _STYLES.sub("", told.decode()).replace("\r", "")
    return text.splitlines(), os.waitstatus_to_exitcode(status)


def _read(terminal, child, interruption=b""):
    if interruption and not select.select([terminal], [], [], AGAIN)[0]:
        os.write(terminal, interruption)
    if not select.select([terminal], [], [], PATIENCE)[0]:
        os.killpg(child, signal.SIGKILL)
        raise AssertionError(f"nothing was said for {PATIENCE} seconds")
    try:
        return os.read(terminal, 65536)
    except OSError:  # the program has ended
        return b""
