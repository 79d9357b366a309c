"""The slot of a step that waits: left by the first wait, and taken back by the last."""

import threading
from collections.abc import Callable

from rotulus._engine.execution import Execution


class Deferral:
    """The callers that wait in one attempt, and whether it holds its slot. For any thread.

    Several may wait at once: the slot is free as long as one of them does, or what it waits for
    might need the very slot that another one has taken back.

    Args:
        run: the attempt.
    """

    def __init__(self, run: Execution) -> None:
        self._run = run
        self._waiting = 0
        self._held = True
        self._asked = False
        self._returning: list[Callable[[], object]] = []
        self._lock = threading.Lock()

    def begin(self) -> None:
        """Somebody waits: whoever wants the slot may have it."""
        with self._lock:
            self._waiting += 1
            leaves, self._held = self._held, False
        if leaves:
            self._run.leave_slot()

    def end(self, back: Callable[[], object]) -> None:
        """Somebody waits no more; `back` is called, in any thread, when it may go on."""
        with self._lock:
            self._waiting -= 1
            at_once = self._waiting > 0 or self._held
            if not at_once:
                self._returning.append(back)
            asks = not (at_once or self._asked)
            self._asked = self._asked or asks
        if at_once:
            back()
        if asks:
            self._run.return_to_slot(self._granted)

    def _granted(self) -> None:
        with self._lock:
            self._asked = False
            self._held = not self._waiting  # somebody may have begun to wait meanwhile
            leaves, returning, self._returning = not self._held, self._returning, []
        if leaves:
            self._run.leave_slot()
        for back in returning:
            back()
