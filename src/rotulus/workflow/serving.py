"""The worker of a runner: a thread that serves a copy of a registry, which may be made anew."""

import threading
from dataclasses import replace
from typing import Any

from rotulus import App, Task, TaskRegistry
from rotulus._concurrency.starting import start_thread
from rotulus._tasks.registry import registered_tasks
from rotulus._time.clock import monotonic
from rotulus._workflows.tasks import StepTask
from rotulus.errors import StoreClosedError
from rotulus.events import WorkerStarted
from rotulus.workflow.config import DefaultRunnerConfig
from rotulus.workflow.constructors import get_workflow
from rotulus.workflow.run import Run, WorkflowResult

_GRACE = 600.0
"""Seconds for which runs of a workflow that is not defined yet are left alone."""


class Serving:
    """An app of its own, and a worker thread for it.

    The registry is copied, so that workflows may be defined while others run: the worker finishes
    what it has begun, and comes back with the new ones.

    Args:
        url: where the jobs live.
        config: how the runner works.
        source: the workflows and tasks.
    """

    def __init__(self, url: str | None, config: DefaultRunnerConfig, source: TaskRegistry) -> None:
        self._config = config
        self._source = source
        self._served = TaskRegistry()
        self._copied: dict[str, Task[..., Any, Any]] = {}
        self.app = App(url, registry=self._served, unknown_grace=_GRACE)
        self._lock = threading.RLock()
        self._thread: threading.Thread | None = None
        self._begun = threading.Event()
        self.app.events.subscribe(lambda _: self._begun.set(), WorkerStarted)
        self._problem: BaseException | None = None
        self._ended = False

    def begin(self) -> None:
        """Serve the registered workflows and tasks from now on."""
        with self._lock:
            if self._ended:
                raise StoreClosedError("This runner is shut down: make a new one")
            if self._stale():
                self._halt()
                self._copy()
            if self._thread is None or not self._thread.is_alive():
                self._thread = self._problem = None
                self._begun.clear()
                self._thread = start_thread(self._work, "rotulus-runner")

    def serve(self, workflow: str) -> None:
        """Serve a workflow. Raises `WorkflowError` if there is none of that name."""
        get_workflow(workflow, self._source)
        self.begin()

    def wait(self, run: Run, timeout: float | None) -> WorkflowResult:
        """Wait until a run has ended, as long as a worker works on it.

        Raises:
            ResultTimeoutError: it has not ended in time.
            RotulusError: the worker has stopped, for this reason.
        """
        end = None if timeout is None else monotonic() + timeout
        while True:
            look = self._config.scheduler_poll_interval_ms / 1000
            left = look if end is None else min(look, end - monotonic())
            if self.app.store.wait(run.id, max(0.0, left)) or left <= 0:
                return run.wait(0)
            if self._problem is not None:
                raise self._problem

    def end(self) -> None:
        """Finish what runs, and close the store."""
        with self._lock:
            self._ended = True
            self._halt()
            self.app.close()

    def _stale(self) -> bool:
        return {task.name: task for task in self._source} != self._copied

    def _copy(self) -> None:
        self._served.clear()
        self._copied = {task.name: task for task in self._source}
        served = registered_tasks(self._served)
        for task in self._copied.values():
            served.add(self._timed(task))

    def _timed(self, task: Task[..., Any, Any]) -> Task[..., Any, Any]:
        if isinstance(task, StepTask) and task.timeout is None:
            return replace(task, timeout=self._config.task_timeout_seconds)
        return task

    def _halt(self) -> None:
        if self._thread is not None:
            self._begun.wait()
            self.app.stop()  # once: a second time would hurry what runs
            self._thread.join()
            self._thread = None

    def _work(self) -> None:
        try:
            fires = self._config.enable_cron_scheduling
            self.app.run_worker(slots=self._config.max_concurrent_tasks, schedules=fires)
        except BaseException as error:  # noqa: BLE001 - raised to waiting callers
            self._problem = error
        finally:
            self._begun.set()
