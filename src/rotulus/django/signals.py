"""Sends Django's `task_started` and `task_finished` for the attempts of an app.

Receivers may use the ORM, and Django forbids that on an event loop. So events on the event loop of
a worker are sent from a thread of ours, all of them before the worker has stopped. Events in other
threads, such as the start of a plain function, are sent in those threads.
"""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from queue import Empty, SimpleQueue
from threading import Event, RLock
from typing import Any

from django.dispatch import Signal

from rotulus import App, Job
from rotulus._concurrency.starting import rest, start_thread
from rotulus._forking import follow_forks
from rotulus._jobs.outcome import write_error
from rotulus._jobs.record import JobRecord, micros
from rotulus._jobs.states import ENDED
from rotulus._warnings import on_event_loop
from rotulus.django.compat import LOGGER, task_backends, task_finished, task_started
from rotulus.django.declaring import declared
from rotulus.django.results import result_of
from rotulus.events import AttemptFailed, AttemptStarted, AttemptSucceeded, WorkerStopped

_FINISH_TIMEOUT = 5.0
"""Seconds for receivers to finish when a worker has stopped."""

_IDLE = 1.0
"""Seconds without an attempt after which the thread ends."""


def send_signals(app: App) -> None:
    """Send Django's signals for the attempts of an app in this process."""
    sender = _Sender(app)
    app.events.subscribe(sender.started, AttemptStarted)
    app.events.subscribe(sender.finished, AttemptSucceeded, AttemptFailed)
    app.events.subscribe(sender.wait, WorkerStopped)


class _Sender:
    """Sends signals, in the thread of an event or in a thread of its own."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._begin()
        follow_forks(self._begin)

    def _begin(self) -> None:
        self._waiting: SimpleQueue[Callable[[], object]] = SimpleQueue()
        self._starting = RLock()
        self._running = False

    def started(self, event: AttemptStarted) -> None:
        """An attempt begins."""
        if _is_heard(task_started):
            self._hand_over(partial(self._send, task_started, event.job))

    def finished(self, event: AttemptSucceeded | AttemptFailed) -> None:
        """An attempt has ended; and the job, unless there will be another attempt."""
        outcome = event.outcome
        if outcome.state not in ENDED or not _is_heard(task_finished):
            return
        ended = event.job._replace(
            state=outcome.state.value,
            reason=outcome.reason,
            result=outcome.result,
            error=write_error(outcome.error),
            ended_at=micros(datetime.now(UTC)),
        )
        error = event.error if isinstance(event, AttemptFailed) else None
        self._hand_over(partial(self._send, task_finished, ended, error))

    def wait(self, _event: WorkerStopped) -> None:
        """Wait until all receivers have been called."""
        if self._running:
            done = Event()
            self._waiting.put(done.set)
            done.wait(_FINISH_TIMEOUT)

    def _hand_over(self, send: Callable[[], object]) -> None:
        if not on_event_loop():
            send()
            return
        self._waiting.put(send)
        with self._starting:
            if not self._running:
                self._running = True
                start_thread(self._go, "rotulus-signals")

    def _go(self) -> None:
        while True:
            try:
                send = self._waiting.get(timeout=_IDLE)
            except Empty:
                with self._starting:
                    if self._waiting.empty():
                        self._running = False
                        return
                continue
            try:
                send()
            except Exception:  # noqa: BLE001 - a receiver may raise anything
                LOGGER.exception("A receiver of a signal of Django's tasks has raised")
            rest()

    def _send(self, signal: Signal, job: JobRecord, error: BaseException | None = None) -> None:
        known = declared(job.task)
        if known is None:
            return
        if job.attempt > 1 and (stored := self._app.store.get(job.id)) is not None:
            job = job._replace(history=stored.history)
        result = result_of(Job(job, _NO_PORT), known.task)
        send = partial(signal.send, type(task_backends[known.task.backend]), task_result=result)
        if error is None:
            send()
            return
        try:  # receivers that report errors read the current exception
            raise error  # noqa: TRY301 - caught at once
        except BaseException:  # noqa: BLE001 - it was raised by a task, and has been judged
            send()


def _is_heard(signal: Signal) -> bool:
    """Returns whether there are receivers. Django's own always listens, and logs a line at INFO."""
    return len(signal.receivers) > 1 or LOGGER.isEnabledFor(logging.INFO)


_NO_PORT: Any = None
"""A job for a result only; its methods are never called."""
