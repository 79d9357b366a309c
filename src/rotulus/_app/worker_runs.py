"""The worker runs of an app: a worker or a supervisor, with its duties, from beginning to end."""

import os
import socket
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any, TypedDict

from rotulus._app.engine import Engine
from rotulus._app.opening import is_shared, usual_grace
from rotulus._engine.duties import Duty, Kept
from rotulus._engine.duty_thread import DutyThread
from rotulus._engine.log_capture import capturing
from rotulus._engine.loop import run_to_end
from rotulus._engine.scheduling import Scheduling
from rotulus._engine.worker import Worker, WorkerOptions
from rotulus._supervisor.parent_channel import ParentChannel
from rotulus._supervisor.proc import Recycling, check_memory_is_told
from rotulus._supervisor.supervisor import Supervisor, SupervisorOptions
from rotulus.config import load_settings
from rotulus.errors import ConfigurationError, WorkerStuckError
from rotulus.events import Events, WorkerRetiring
from rotulus.store import Store


class WorkOptions(TypedDict, total=False):
    """How a worker works: the arguments of `App.run_worker`, where they are described."""

    queues: Iterable[str] | None
    slots: int | None
    lease: float | None
    drain: float | None
    burst: bool
    name: str | None
    recycle_jobs: int | None
    recycle_memory: int | None
    schedules: bool


def check_work_options(options: Mapping[str, Any]) -> None:
    """Raise `TypeError` for one that there is not."""
    for name in sorted(options.keys() - WorkOptions.__annotations__.keys()):
        raise TypeError(f"arun_worker() got an unexpected keyword argument {name!r}")


class WorkerRun:
    """Keeps the orders for a worker or supervisor, also those that come before it exists.

    May be used from any thread, and from a signal handler.
    """

    def __init__(self) -> None:
        self._stops = 0
        self._slots: int | None = None
        self._at_work: Worker | Supervisor | None = None

    def attach(self, at_work: Worker | Supervisor) -> None:
        """Attach the worker or supervisor: it gets the orders of before, and all that follow."""
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
        """Stop: let running jobs finish; at the second call, give them back at once.

        Args:
            times: how often it has been told by now, from a caller that may not be the only one to
                tell it: unless that is more than before, nothing happens.
        """
        self._stops = self._stops + 1 if times is None else max(times, self._stops)
        if self._at_work is not None:
            self._at_work.stop(self._stops)


@dataclass(frozen=True, slots=True)
class WorkerRuns:
    """Begins worker runs, and ends those that are under way.

    Attributes:
        engine: what runs jobs.
        settings: the settings of the app.
        under_way: the calls that have begun and not ended.
    """

    engine: Engine
    settings: Mapping[str, Any]
    under_way: list[WorkerRun] = field(default_factory=list[WorkerRun])

    def begin(self) -> WorkerRun:
        """A call begins, and can be told to stop; it has to `end`."""
        run = WorkerRun()
        self.under_way.append(run)
        return run

    def end(self, run: WorkerRun) -> None:
        """A call has ended. May be said twice."""
        with suppress(ValueError):
            self.under_way.remove(run)

    def work(
        self,
        run: WorkerRun,
        open_store: Callable[[], Store],
        work_options: WorkOptions,
        parent: int | None,
    ) -> None:
        """Work as one worker. See `App.run_worker`."""
        name = work_options.get("name")
        settings = {key: value for key, value in work_options.items() if key not in _NO_SETTINGS}
        chosen = self._chosen(settings)
        options = _worker_options(chosen, burst=work_options.get("burst", False))
        served, slots = chosen["queues"], chosen["slots"]
        # First of all: what is forked before there are threads and connections has none.
        with capturing(), self.engine.fork_server(self.engine.registry) as fork_server:
            store = open_store()
            worker = self.engine.worker(fork_server, store, served, slots, options, name)
            own = _recycling(chosen["recycle_memory"], worker)
            if parent is None:
                fires = work_options.get("schedules", True)
                duties = [d for d in self.duties(store) if fires or d.name != Scheduling.name]
                self._run_with_duties(run, worker, [*own, *duties], run.stop)
                _raise_if_stuck(worker)
                return
            channel = ParentChannel(parent, options.lease, run.stop)
            self.engine.events.subscribe(channel.tell_retiring, WorkerRetiring)
            channel.start()
            # A signal to a supervisor often reaches its processes too, and that is still once: only
            # the supervisor tells them to hurry.
            self._run_with_duties(run, worker, own, partial(run.stop, 1))

    def supervise(
        self,
        run: WorkerRun,
        store: Store,
        command: Sequence[str],
        settings: Mapping[str, Any],
        *,
        burst: bool,
        name: str | None,
    ) -> None:
        """Have a command work in several processes. See `App.supervise`."""
        chosen = self._chosen(settings)
        _check_processes(chosen["url"])
        options = SupervisorOptions(
            command=command,
            name=name or f"{socket.gethostname()}.{os.getpid()}",
            processes=chosen["processes"],
            lease=chosen["lease"],
            drain=chosen["drain"],
            burst=burst,
        )
        supervisor = self.engine.supervisor(store, options)
        self._run_with_duties(run, supervisor, self.duties(store), run.stop)

    def set_slots(self, slots: int) -> None:
        """Let the workers that are under way run so many jobs at once."""
        checked: int = load_settings({"slots": slots})["slots"].value
        for run in list(self.under_way):
            run.set_slots(checked)

    def stop(self) -> None:
        """Stop all worker runs."""
        for run in list(self.under_way):
            run.stop()

    def _chosen(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the settings, with what was given for one run of a worker."""
        checked = load_settings(settings)
        new = {name: checked[name].value for name, value in settings.items() if value is not None}
        return {**self.settings, **new}

    def duties(self, store: Store, events: Events | None = None) -> list[Duty]:
        """Returns the background duties, which emit to these events, or to those of the app."""
        kept = {name: timedelta(0, self.settings[name]) for name in Kept._fields}
        return self.engine.duties(store, Kept(**kept), events)

    def _run_with_duties(
        self,
        run: WorkerRun,
        at_work: Worker | Supervisor,
        duties: Sequence[Duty],
        on_signal: Callable[[], None],
    ) -> None:
        engine = self.engine
        duty_thread = DutyThread(duties, engine.clock.now, engine.random.random, engine.events)
        run.attach(at_work)
        duty_thread.start()
        try:
            run_to_end(at_work.run(partial(duty_thread.end, None)), on_signal)
        finally:
            duty_thread.end()


_NO_SETTINGS = ("burst", "name", "schedules")
"""Options of a worker that are no settings."""


def grace_of(settings: Mapping[str, Any]) -> float:
    """Seconds for which a due job of a task that is not known here is left alone."""
    grace = settings["unknown_grace"]
    return usual_grace(settings["url"]) if grace is None else grace


def _worker_options(chosen: Mapping[str, Any], *, burst: bool) -> WorkerOptions:
    return WorkerOptions(
        lease=chosen["lease"],
        drain=chosen["drain"],
        burst=burst,
        unknown_grace=grace_of(chosen),
        recycle_jobs=chosen["recycle_jobs"],
    )


def _raise_if_stuck(worker: Worker) -> None:
    if worker.stuck:
        raise WorkerStuckError(
            f"{worker.stuck} bodies did not stop when they were told to, each holds a thread, and "
            f"their worker has stopped: start it again, and give tasks that hang "
            f"isolation='process', which ends them for good"
        )


def _recycling(megabytes: int | None, worker: Worker) -> list[Duty]:
    if megabytes is None:
        return []
    check_memory_is_told()
    return [Recycling(megabytes, worker.retire)]


def _check_processes(url: str) -> None:
    """Refuse a store and a system on which several worker processes do not work."""
    if os.name != "posix":
        raise ConfigurationError(
            "processes and recycling need a Unix system: start several workers instead"
        )
    if not is_shared(url):
        raise ConfigurationError(
            f"The jobs of {url} live in the memory of one process, and with processes or "
            f"recycling others have to see them: use a file, such as sqlite:///jobs.db"
        )
