"""Stores what attempts have logged; what cannot be stored is told of, and fails no job."""

from collections.abc import Callable, Iterable, Sequence

from rotulus._engine.execution import Execution
from rotulus._engine.log_buffer import LogBuffer
from rotulus._jobs.log_line import LogRow
from rotulus.events import Events, LogsNotKept, StoreRecovered
from rotulus.store import Store

WRITE_EVERY = 1.0
"""Seconds between two writes of what an attempt logs while it runs."""

_PAUSE = 5.0
"""Seconds after a failure in which no line is written: outcomes do not wait for lines."""

_AT_ONCE = 5_000
"""About how many lines are written in one transaction."""


class LogWriter:
    """Writes the lines of attempts. May be used from any thread.

    Args:
        store: where they go.
        monotonic: the clock, in seconds.
        events: where failures are told.
    """

    def __init__(self, store: Store, monotonic: Callable[[], float], events: Events) -> None:
        self._store = store
        self._monotonic = monotonic
        self._events = events
        self._failed_at: float | None = None

    def finish(self, executions: Sequence[Execution]) -> None:
        """Write all lines of attempts that have ended. It never raises."""
        for execution in executions:
            if execution.logs is not None:
                execution.logs.close()
        self.write(executions)

    def write(self, executions: Iterable[Execution]) -> None:
        """Write the lines of some attempts that are not stored yet. It never raises.

        When that fails, they stay with their attempts, and nothing is written for five seconds.
        """
        buffers = [e.logs for e in executions if e.logs is not None and not e.logs.is_empty]
        if not buffers or self._is_resting():
            return
        try:
            self._write_all(buffers)
        except Exception as error:  # noqa: BLE001 - a line that is lost fails no job
            if self._failed_at is None:
                self._events.emit(LogsNotKept(error))
            self._failed_at = self._monotonic()
        else:
            if self._failed_at is not None:
                self._failed_at = None
                self._events.emit(StoreRecovered("log"))

    def _is_resting(self) -> bool:
        return self._failed_at is not None and self._monotonic() - self._failed_at < _PAUSE

    def _write_all(self, buffers: Iterable[LogBuffer]) -> None:
        """Write lines, in transactions of some thousands."""
        rows: list[LogRow] = []
        taken: list[tuple[LogBuffer, list[LogRow]]] = []
        for buffer in buffers:
            pending = buffer.pending()
            rows += pending
            taken.append((buffer, pending))
            if len(rows) >= _AT_ONCE:
                self._write_some(rows, taken)
                rows, taken = [], []
        if rows:
            self._write_some(rows, taken)

    def _write_some(
        self, rows: list[LogRow], taken: Iterable[tuple[LogBuffer, list[LogRow]]]
    ) -> None:
        self._store.logs.add(rows)
        for buffer, lines in taken:
            buffer.stored(lines)
