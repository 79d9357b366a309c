"""Puts together what runs jobs: executors, workers and their duties, and a call in this process."""

import os
import random
import socket
import threading
from collections.abc import Callable, Collection, Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, NamedTuple

from rotulus._app.desk import Desk
from rotulus._engine.duties import Duty, Prune, Recount, Rescue, Scheduling, retention
from rotulus._engine.executor import Executor
from rotulus._engine.intake import Intake
from rotulus._engine.isolation import Cells, Nursery, check_system, live
from rotulus._engine.parts import Parts
from rotulus._engine.steps import Contexts, Steps
from rotulus._engine.threads import Threads
from rotulus._engine.verdict import Verdict
from rotulus._engine.worker import Worker, WorkerOptions
from rotulus._fleet.supervisor import Supervisor, SupervisorOptions
from rotulus._jobs.retry import NO_RETRY, Retry
from rotulus._tasks.injection import Injector
from rotulus._tasks.plan import Plans
from rotulus._tasks.registry import TaskRegistry
from rotulus._tasks.task import Task
from rotulus._text.ids import Ids
from rotulus._time.clock import Clock
from rotulus.errors import IsolationError
from rotulus.events import Events, NurseryStarted
from rotulus.store import Store, WorkerInfo


@dataclass(frozen=True, slots=True)
class Engine:
    """Everything of an app that takes part in running jobs."""

    registry: TaskRegistry
    plans: Plans
    intake: Intake
    desk: Desk
    steps: Steps
    events: Events
    clock: Clock
    random: random.Random
    retry: Retry
    max_bytes: int

    def executor(self, threads: Threads, cells: Cells | None = None) -> Executor:
        """An executor whose plain functions run in these threads, and isolated ones in cells."""
        return Executor(
            self.registry,
            self.plans,
            self.desk,
            threads,
            self.steps,
            Verdict(self.retry, self.random.random),
            self.clock.monotonic,
            self.events,
            self.max_bytes,
            cells,
        )

    @contextmanager
    def nursery(
        self, tasks: Iterable[Task[..., Any, Any]]
    ) -> Generator[Nursery | None, None, None]:
        """A nursery for the length of a block, if one of these tasks is isolated.

        Raises:
            ConfigurationError: this system cannot isolate them.
            IsolationError: the nursery died meanwhile.
        """
        isolated = [task for task in tasks if task.isolation]
        if not isolated:
            yield None
            return
        check_system(isolated)
        others = [
            thread.name
            for thread in threading.enumerate()
            if thread is not threading.current_thread()
        ]
        nursery = Nursery(partial(live, make_door=self.executor))
        self.events.emit(NurseryStarted(nursery.pid, others))
        try:
            yield nursery
        finally:
            nursery.close()
        if nursery.gone:
            raise IsolationError(
                f"The nursery (process {nursery.pid}), which forks the processes of isolated "
                f"tasks, was killed, and its worker has stopped: start it again"
            )

    def worker(
        self,
        nursery: Nursery | None,
        store: Store,
        queues: Collection[str] | None,
        slots: int,
        options: WorkerOptions,
        name: str | None,
    ) -> Worker:
        """A worker of this process."""
        host, pid = socket.gethostname(), os.getpid()
        info = WorkerInfo(
            name=name or f"{host}.{pid}.{self.random.getrandbits(32):08x}",
            host=host,
            pid=pid,
            queues=None if queues is None else tuple(queues),
            slots=slots,
            started_at=self.clock.now(),
            names=tuple(self.registry.list_all()),
        )

        def make_executor(threads: Threads) -> Executor:
            cells = None if nursery is None else Cells(nursery, worker.stop)
            return self.executor(threads, cells)

        worker = Worker(
            store,
            info,
            options,
            make_executor,
            self.clock.monotonic,
            self.random.random,
            self.events,
        )
        return worker

    def supervisor(self, store: Store, options: SupervisorOptions) -> Supervisor:
        """A supervisor of worker processes."""
        return Supervisor(
            store, options, self.clock.monotonic, self.random.getrandbits, self.events
        )

    def duties(self, store: Store, keep: timedelta, keep_failed: timedelta) -> list[Duty]:
        """The background duties on a store."""
        return [
            Rescue(store, self.random.random, self.events),
            Scheduling(store, self.intake, list(self.registry), self.events),
            Prune(store, retention(keep, keep_failed), self.events),
            Recount(store, self.random.random, self.events),
        ]

    def filled_by(self, injector: Injector) -> "Engine":
        """The same, with something else that fills the parameters of its tasks."""
        plans = Plans(injector, show_values=self.plans.show_values)
        return _assemble(self.desk.store, self.registry, plans, self.events, self.clock, self)


def make_engine(
    store: Callable[[], Store],
    registry: TaskRegistry,
    injector: Injector,
    clock: Clock,
    retry: Retry | None,
    settings: Mapping[str, Any],
) -> Engine:
    """The engine of an app.

    Args:
        store: opens the store when it is first needed.
        registry: the tasks.
        injector: what fills their parameters.
        clock: the time.
        retry: the policy of tasks that have none; None for no retries.
        settings: the settings of the app, by name.
    """
    plans = Plans(injector, show_values=settings["log_arguments"])
    policy = Policy(random.SystemRandom(), retry or NO_RETRY, settings["max_bytes"])
    return _assemble(store, registry, plans, Events(), clock, policy)


class Policy(NamedTuple):
    """What is the same for all jobs of an engine: see its attributes."""

    random: random.Random
    retry: Retry
    max_bytes: int


def _assemble(
    store: Callable[[], Store],
    registry: TaskRegistry,
    plans: Plans,
    events: Events,
    clock: Clock,
    policy: "Policy | Engine",
) -> Engine:
    chance, retry, max_bytes = policy.random, policy.retry, policy.max_bytes
    ids = Ids(clock.now, chance)
    parts = Parts(ids, plans, max_bytes)
    intake = Intake(plans, ids, parts, max_bytes)
    desk = Desk(store, registry, plans, intake, clock.now)
    contexts = Contexts(store, registry, plans)
    steps = Steps(store, contexts, parts, events, max_bytes)
    return Engine(registry, plans, intake, desk, steps, events, clock, chance, retry, max_bytes)
