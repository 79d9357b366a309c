"""Puts together what runs jobs: executors, workers and their duties, and a call in this process."""

import os
import platform
import random
import socket
import threading
from collections.abc import Callable, Collection, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from typing import Any, NamedTuple

from rotulus._app.port import AppPort
from rotulus._engine.around import MiddlewareList
from rotulus._engine.duties import (
    Duty,
    FoldStats,
    Kept,
    Prune,
    PruneAudit,
    PruneChanges,
    Recount,
    Relay,
    Rescue,
    retention,
)
from rotulus._engine.executor import Executor
from rotulus._engine.isolation import ForkServer, ProcessPool, check_system, run_task_process
from rotulus._engine.job_factory import JobFactory, Parts, not_carried
from rotulus._engine.log_capture import LogPolicy
from rotulus._engine.outbox_relay import Carrier, OutboxRelay
from rotulus._engine.scheduling import Scheduling
from rotulus._engine.single_attempts import SingleAttempts, SingleSetup
from rotulus._engine.steps import StepInputs, Steps
from rotulus._engine.threads import CallingThread, Threads
from rotulus._engine.verdict import Verdict
from rotulus._engine.worker import Worker, WorkerOptions
from rotulus._jobs.retry import NO_RETRY, Retry
from rotulus._supervisor.supervisor import Supervisor, SupervisorOptions
from rotulus._tasks.injection import Injector
from rotulus._tasks.known import KnownTasks
from rotulus._tasks.masking import MaskedNames
from rotulus._tasks.plan import Plans
from rotulus._tasks.registered import AnyTask
from rotulus._tasks.registry import TaskRegistry, registered_tasks
from rotulus._tasks.task import Task
from rotulus._text.ids import Ids
from rotulus._time.clock import Clock
from rotulus._workflows.tasks import WorkflowTask
from rotulus.errors import IsolationError, OptionError
from rotulus.events import Events, ForkServerStarted
from rotulus.store import Store, WorkerInfo
from rotulus.webhooks.delivering import Deliverer
from rotulus.webhooks.feeding import TellWebhooks
from rotulus.webhooks.sending import Sender


@dataclass(frozen=True, slots=True)
class Engine:
    """Everything of an app that takes part in running jobs."""

    registry: TaskRegistry
    known: KnownTasks
    plans: Plans
    job_factory: JobFactory
    outbox_relay: OutboxRelay
    port: AppPort
    steps: Steps
    events: Events
    clock: Clock
    random: random.Random
    retry: Retry
    max_bytes: int
    middleware: MiddlewareList
    log_policy: LogPolicy
    own_tasks: Sequence[AnyTask]
    masked: MaskedNames
    version: str | None

    def executor(
        self, threads: Threads | CallingThread, pool: ProcessPool | None = None
    ) -> Executor:
        """Returns an executor: functions run in these threads, isolated tasks in this pool."""
        return Executor(
            self.known,
            self.plans,
            self.port,
            threads,
            self.steps,
            Verdict(self.retry, self.random.random, self.outbox_relay.retry),
            self.clock.monotonic,
            self.events,
            self.middleware,
            self.log_policy,
            self.max_bytes,
            pool,
        )

    @contextmanager
    def fork_server(
        self, tasks: Iterable[Task[..., Any, Any]]
    ) -> Generator[ForkServer | None, None, None]:
        """A fork server for the length of a block, if one of these tasks is isolated.

        Raises:
            ConfigurationError: this system cannot isolate them.
            IsolationError: the fork server died meanwhile.
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
        fork_server = ForkServer(partial(run_task_process, make_executor=self.executor))
        self.events.emit(ForkServerStarted(fork_server.pid, others))
        try:
            yield fork_server
        finally:
            fork_server.close()
        if fork_server.gone:
            raise IsolationError(
                f"The fork server (process {fork_server.pid}), which forks the processes of "
                f"isolated tasks, was killed, and its worker has stopped: start it again"
            )

    def worker(
        self,
        fork_server: ForkServer | None,
        store: Store,
        queues: Collection[str] | None,
        slots: int,
        options: WorkerOptions,
        name: str | None,
    ) -> Worker:
        """Returns a worker of this process."""
        host, pid = socket.gethostname(), os.getpid()
        info = WorkerInfo(
            name=name or f"{host}.{pid}.{self.random.getrandbits(32):08x}",
            host=host,
            pid=pid,
            queues=None if queues is None else tuple(queues),
            slots=slots,
            started_at=self.clock.now(),
            names=tuple(self.known.list_all()),
            version=self.version,
            rotulus=version("rotulus"),
            python=platform.python_version(),
        )

        def make_executor(threads: Threads) -> Executor:
            pool = None if fork_server is None else ProcessPool(fork_server, worker.stop)
            return self.executor(threads, pool)

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
        """Returns a supervisor of worker processes."""
        return Supervisor(
            store, options, self.clock.monotonic, self.random.getrandbits, self.events
        )

    def duties(self, store: Store, kept: Kept, events: Events | None = None) -> list[Duty]:
        """Returns the background duties on a store, which emit to these events, if given."""
        events = events or self.events
        return [
            Rescue(store, self.random.random, events),
            Scheduling(store, self.job_factory, list(self.registry), events),
            Relay(self.outbox_relay, events),
            Prune(store, retention(kept), events),
            FoldStats(store, kept.keep_stats, self.random.random),
            # Before old changes are forgotten.
            TellWebhooks(store, self.job_factory.new_id, self.random.random, events, self.masked),
            PruneChanges(store, self.random.random),
            PruneAudit(store, kept.keep_stats, self.random.random),
            Recount(store, self.random.random, events),
        ]

    def carry(self, carrier: Carrier, patience: float) -> None:
        """Have jobs carried from now on. Raises `OptionError`."""
        for task in self.registry:
            if isinstance(task, WorkflowTask) and carrier.carries(task.name):
                raise OptionError(not_carried(task.name))
        self.outbox_relay.begin(carrier, patience)

    def singles(self, lease: float, grace: float | None) -> SingleAttempts:
        """Returns the maker of single attempts in this process."""
        setup = SingleSetup(
            self.port.store,
            self.executor,
            self.fork_server,
            socket.gethostname,
            lease,
            grace,
            self.clock.monotonic,
            self.random.random,
        )
        return SingleAttempts(setup, self.known, self.events)

    def filled_by(self, injector: Injector) -> "Engine":
        """Returns the same engine with another injector for its tasks."""
        plans = Plans(injector, show_values=self.plans.show_values)
        return _assemble(self.port.store, self.registry, plans, self.events, self.clock, self)


def make_engine(
    store: Callable[[], Store],
    registry: TaskRegistry,
    injector: Injector,
    clock: Clock,
    retry: Retry | None,
    settings: Mapping[str, Any],
    middleware: MiddlewareList,
) -> Engine:
    """Returns the engine of an app.

    Args:
        store: opens the store when it is first needed.
        registry: the tasks.
        injector: what fills their parameters.
        clock: the time.
        retry: the policy of tasks that have none; None for no retries.
        settings: the settings of the app, by name.
        middleware: what surrounds its attempts.
    """
    plans = Plans(injector, show_values=settings["log_arguments"])
    chance, events = random.SystemRandom(), Events()
    outbox_relay = OutboxRelay(store, registry, events, clock.monotonic, chance.random)
    log_policy = LogPolicy(registry, settings["keep_logs"])
    deliverer = Deliverer(
        store,
        Sender(settings["webhook_networks"], clock.monotonic),
        clock.now,
        clock.monotonic,
        chance.random,
        events,
    )
    own_tasks = [deliverer.task(registered_tasks(registry))]
    of_jobs = chance, retry or NO_RETRY, settings["max_bytes"], middleware
    masked = MaskedNames(settings["mask"])
    policy = Policy(*of_jobs, log_policy, outbox_relay, own_tasks, masked, settings["version"])
    return _assemble(store, registry, plans, events, clock, policy)


class Policy(NamedTuple):
    """What applies to all of an app: randomness, retries, sizes, logs, own tasks, its version."""

    random: random.Random
    retry: Retry
    max_bytes: int
    middleware: MiddlewareList
    log_policy: LogPolicy
    outbox_relay: OutboxRelay
    own_tasks: Sequence[AnyTask]
    masked: MaskedNames
    version: str | None


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
    outbox_relay = policy.outbox_relay
    job_factory = JobFactory(plans, ids, parts, outbox_relay, max_bytes)
    known = KnownTasks(registry, policy.own_tasks)
    of_port = store, registry, known, plans, job_factory, outbox_relay, clock.now
    port = AppPort(*of_port, policy.middleware, events)
    inputs = StepInputs(store, registry, plans)
    steps = Steps(store, inputs, parts, events, max_bytes)
    made = registry, known, plans, job_factory, outbox_relay, port, steps, events, clock
    of_policy = policy.middleware, policy.log_policy, policy.own_tasks, policy.masked
    return Engine(*made, chance, retry, max_bytes, *of_policy, policy.version)
