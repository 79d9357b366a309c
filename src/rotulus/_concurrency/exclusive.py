"""A lock that is only ever tried, and that is free again whatever becomes of its holder.

A lock can be left behind: Ctrl-C, or a signal handler that raises, may come between any two
bytecodes, so also between taking a lock and the `try` that gives it back. A context of
`contextvars` is entered and left by C code around the call of a function, and refuses to be
entered twice, from whichever thread. There is no bytecode at which it can be left entered.
"""

import inspect
from collections.abc import Callable
from contextvars import Context, copy_context


class Exclusive:
    """Runs one function at a time. No caller waits: one that finds another function is told so."""

    def __init__(self) -> None:
        self._inside = Context()

    def attempt(self, function: Callable[[], object]) -> bool:
        """Run a function, with the context variables of its caller; False if another one runs."""
        begun: list[Exclusive] = []
        try:
            self._inside.run(_run, self, begun, copy_context(), function)
        except RuntimeError:
            if begun:
                raise
            return False
        return True

    def is_below(self) -> bool:
        """Returns whether the function that runs in here was interrupted by what calls this.

        A signal handler, or a finalizer, runs on top of what it interrupts, in the same thread.
        """
        frame = inspect.currentframe()
        while frame is not None:
            if frame.f_code is _run.__code__ and frame.f_locals["exclusive"] is self:
                return True
            frame = frame.f_back
        return False


def _run(
    exclusive: Exclusive,
    begun: list[Exclusive],
    context: Context,
    function: Callable[[], object],
) -> None:
    begun.append(exclusive)  # which `is_below` looks for in this frame
    context.run(function)
