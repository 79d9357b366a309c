"""One call that runs a worker or a supervisor: it can be told to stop from its first line."""

from rotulus._engine.worker import Worker
from rotulus._fleet.supervisor import Supervisor


class WorkerRun:
    """Keeps what it was told, also before there is something that could heed it.

    May be used from any thread, and from a signal handler.
    """

    def __init__(self) -> None:
        self._stops = 0
        self._slots: int | None = None
        self._at_work: Worker | Supervisor | None = None

    def attach(self, at_work: Worker | Supervisor) -> None:
        """This is what works: it is told what was said until now, and from now on."""
        self._at_work = at_work
        if self._slots is not None:
            self.set_slots(self._slots)
        if self._stops:
            at_work.stop(self._stops)

    def set_slots(self, slots: int) -> None:
        """Run so many jobs at once. Not for a supervisor, whose processes have their own."""
        self._slots = slots
        if isinstance(self._at_work, Worker):
            self._at_work.set_slots(slots)

    def stop(self, times: int | None = None) -> None:
        """Stop: finish what runs; told a second time, at once.

        Args:
            times: how often it has been told by now, from one who may not be the only one to
                tell it: unless that is more than before, nothing happens.
        """
        self._stops = self._stops + 1 if times is None else max(times, self._stops)
        if self._at_work is not None:
            self._at_work.stop(self._stops)
