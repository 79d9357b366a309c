"""Comes in before a chosen bytecode, as Ctrl-C or a signal handler may."""

import sys
from contextlib import contextmanager
from pathlib import Path

import rotulus

SOURCE = Path(rotulus.__file__).parent


class Interrupted(BaseException):
    """What is raised."""


def interrupt():
    """What Ctrl-C does."""
    raise Interrupted


class Interrupter:
    """Does something before the n-th bytecode of some files of the package, counted from 0.

    Args:
        number: which bytecode.
        files: where they count: paths below the package.
        within: count only what is called from functions of these names; empty: everything.
        handler: what to do.
    """

    def __init__(self, number, files, within=(), handler=interrupt):
        self._left = number
        self._files = {str(SOURCE / name) for name in files}
        self._within = set(within)
        self._handler = handler
        self.where = None

    @contextmanager
    def armed(self):
        """Count in this thread, as long as the block lasts."""
        sys.settrace(self._call)
        try:
            yield
        finally:
            sys.settrace(None)

    def _call(self, frame, event, arg):
        if frame.f_code.co_filename not in self._files or not self._is_within(frame):
            return None
        frame.f_trace_opcodes = True
        return self._opcode

    def _is_within(self, frame):
        while frame is not None and self._within:
            if frame.f_code.co_name in self._within:
                return True
            frame = frame.f_back
        return not self._within

    def _opcode(self, frame, event, arg):
        if event != "opcode":
            return self._opcode
        if self._left == 0:
            self.where = f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}"
            sys.settrace(None)
            self._left = -1
            self._handler()
            return None
        self._left -= 1
        return self._opcode


def interrupted_everywhere(act, check, files, within=(), handler=interrupt):
    """Interrupt an act at each bytecode in turn, and check afterwards; how many those were."""
    number = 0
    while True:
        interrupter = Interrupter(number, files, within, handler)
        outcome = act(interrupter)
        check(interrupter.where, outcome)
        if interrupter.where is None:
            return number
        number += 1
