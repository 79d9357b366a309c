"""Every log line of Rotulus, rendered from events by one subscriber."""

import logging
import signal
from collections.abc import Callable
from typing import Any

from rotulus import events as e
from rotulus._app.explanation import many
from rotulus._app.log_duties import DUTIES, Line
from rotulus._app.tracebacks import folded
from rotulus._jobs.log_filter import job_fields
from rotulus._jobs.outcome import ErrorInfo, Outcome
from rotulus._jobs.record import JobRecord
from rotulus._jobs.states import State

logger = logging.getLogger("rotulus")


def log_events(events: e.Events) -> None:
    """Log what happens to the logger `rotulus`, from now on.

    What succeeds is logged at DEBUG, what a person may want to know at INFO, what will be tried
    again at WARNING, and what needs somebody at ERROR. Each record carries its data as
    `record.rotulus`, a dict, for structured logs. The line of a failed attempt has the exception in
    `exc_info`, if it was raised in this process, and its traceback in `exc_text`, where the frames
    of libraries are folded; the whole text is `record.rotulus["traceback"]`. Which levels are
    logged is up to the logger at the moment of the line.
    """
    for kind, render in _RENDERERS.items():
        events.subscribe(_listener(render), kind)
    events.subscribe(_hear_success, e.AttemptSucceeded)


def _listener(render: Callable[[Any], Line]) -> Callable[[Any], None]:
    def listen(event: e.Event) -> None:
        level, message, data = render(event)
        if _is_heard(level):
            _log(level, message, data, event.error if isinstance(event, _RAISED) else None)

    return listen


_RAISED = (e.AttemptFailed, e.DutyFailed, e.ListenerFailed)
"""Events whose exception is for those who look for a fault in code."""


def _hear_success(event: e.AttemptSucceeded) -> None:
    """Most events are of this kind, and hardly anybody logs them."""
    if _is_heard(logging.DEBUG):
        _log(logging.DEBUG, *_attempt_succeeded(event), None)


def _is_heard(level: int) -> bool:
    """Whether a line of this level is to be logged.

    `dictConfig` disables every logger that exists and that it does not name, unless it is told not
    to. A worker must not fall silent by accident; who wants silence sets a level.
    """
    if logger.disabled:
        logger.disabled = False
    return logger.isEnabledFor(level)


def _log(level: int, message: str, data: dict[str, Any], error: BaseException | None) -> None:
    name, line = __file__, 0
    raised = None if error is None else (type(error), error, error.__traceback__)
    record = logger.makeRecord(
        logger.name, level, name, line, message, (), raised, extra={"rotulus": data}
    )
    if text := data.get("traceback"):
        record.exc_text = folded(text)
    logger.handle(record)


def _attempt_succeeded(event: e.AttemptSucceeded) -> tuple[str, dict[str, Any]]:
    return _attempt_text(event, "succeeded"), _attempt_data(event, "succeeded")


def _attempt_failed(event: e.AttemptFailed) -> Line:
    outcome = event.outcome
    what = _what(outcome)
    wait = f"  again in {outcome.delay:.1f} s" if what in ("retried", "lost") else ""
    error = f"  {outcome.error}" if outcome.error else ""
    shown = f"began the {many(len(outcome.parts), 'part')} of" if what == "opened" else what
    text = f"{_attempt_text(event, shown)}{wait}{error}"
    data = {**_attempt_data(event, what), **_traceback(outcome.error)}
    return _LEVELS.get(outcome.state, logging.WARNING), text, data


def _traceback(error: ErrorInfo | None) -> dict[str, str]:
    return {"traceback": error.traceback} if error is not None and error.traceback else {}


def _what(outcome: Outcome) -> str:
    if outcome.state is State.BLOCKED:
        return "opened"
    if outcome.state is not State.QUEUED:
        return str(outcome.state)
    return "retried" if outcome.failed else "lost" if outcome.lost else "queued"


def _attempt_text(event: e.AttemptSucceeded | e.AttemptFailed, what: str) -> str:
    job = event.job
    return f"{what} {_name(job)} attempt {job.attempt} {event.seconds * 1000:.0f} ms"


def _name(job: JobRecord) -> str:
    """A job in a line: its task and its id, and, of a part of a run, which step that is."""
    text = f"{job.task} {job.id}"
    return f"{text} (step {job.step} of run {job.run})" if job.step else text


def _attempt_data(event: e.AttemptSucceeded | e.AttemptFailed, what: str) -> dict[str, Any]:
    job, outcome = event.job, event.outcome
    return {
        "event": "attempt",
        "outcome": what,
        **job_fields(job),
        "queue": job.queue,
        "reason": outcome.reason,
        "error": str(outcome.error) if outcome.error else None,
        "duration_ms": round(event.seconds * 1000, 3),
    }


_LEVELS = {
    State.BLOCKED: logging.DEBUG,
    State.SKIPPED: logging.INFO,
    State.CANCELLED: logging.INFO,
    State.FAILED: logging.ERROR,
    State.DEAD: logging.ERROR,
}


def _outcome_refused(event: e.OutcomeRefused) -> Line:
    data = {"event": "outcome_refused", "job": event.job_id, "attempt": event.attempt}
    text = f"outcome of {event.job_id} attempt {event.attempt} refused: it is no longer ours"
    return logging.WARNING, text, data


def _lease_lost(event: e.LeaseLost) -> Line:
    data = {"event": "lease_lost", "job": event.job_id, "attempt": event.attempt}
    text = f"lease of {event.job_id} attempt {event.attempt} lost: its body is told to stop"
    return logging.WARNING, text, data


def _result_awaited(event: e.ResultAwaited) -> Line:
    data = {"event": "result_awaited", **job_fields(event.job), "awaited": event.awaited}
    text = (
        f"{_name(event.job)} waits for the result of job {event.awaited} within a task, and keeps "
        f"its slot: when all slots are taken by jobs that wait, nothing runs what they wait for. "
        f"Make them steps of a workflow (told once for each task)"
    )
    return logging.WARNING, text, data


def _body_stuck(event: e.BodyStuck) -> Line:
    data = {"event": "body_stuck", **job_fields(event.job), "reason": event.reason}
    text = (
        f"{_name(event.job)} did not stop ({event.reason}): its slot is free, its "
        f"body runs on in this process until it ends by itself"
    )
    return logging.WARNING, text, data


def _callback_failed(event: e.CallbackFailed) -> Line:
    data = {"event": "callback_failed", **job_fields(event.job), "callback": event.callback}
    data |= _traceback(event.error)
    text = f"{event.callback} of {_name(event.job)} raised {event.error}"
    return logging.ERROR, f"{text}: the step is as it was", data


def _condition_failed(event: e.ConditionFailed) -> Line:
    data = {"event": "condition_failed", **job_fields(event.job), **_traceback(event.error)}
    text = f"the condition that {_name(event.job)} waits for raised {event.error}"
    return logging.WARNING, f"{text}: it does not hold", data


def _definition_changed(event: e.DefinitionChanged) -> Line:
    job = event.job
    data = {"event": "definition_changed", "job": job.id, "run": job.run, "step": job.step}
    text = (
        f"step {job.step!r} of {job.workflow} {job.run} waited for {_names(event.stored)}, and is "
        f"declared to need {_names(event.declared)} by now: the run goes on as it began"
    )
    return logging.WARNING, text, data


def _names(steps: tuple[str, ...]) -> str:
    return ", ".join(map(repr, steps)) or "nothing"


def _nursery_started(event: e.NurseryStarted) -> Line:
    data = {"event": "nursery_started", "pid": event.pid, "threads": list(event.threads)}
    text = f"isolated tasks run in processes forked by {event.pid}"
    if event.threads:
        text += (
            f"; these threads ran then, and a lock one of them held is locked there for ever: "
            f"{', '.join(event.threads)}"
        )
    return logging.WARNING if event.threads else logging.INFO, text, data


def _worker_started(event: e.WorkerStarted) -> Line:
    queues = "all queues" if event.queues is None else f"queues {', '.join(event.queues)}"
    data = {"event": "worker_started", "worker": event.worker, "slots": event.slots}
    text = f"worker {event.worker} serves {queues} in {many(event.slots, 'slot')}"
    return logging.INFO, text, data


def _worker_draining(event: e.WorkerDraining) -> Line:
    data = {"event": "worker_draining", "worker": event.worker, "running": event.running}
    text = (
        f"stopping: waiting up to {event.seconds:g} s for {many(event.running, 'running job')} "
        f"(again to give them back now)"
    )
    return logging.INFO, text, data


def _worker_retiring(event: e.WorkerRetiring) -> Line:
    data = {"event": "worker_retiring", "worker": event.worker, "reason": event.reason}
    return logging.INFO, f"worker {event.worker} ends after what it runs: {event.reason}", data


def _worker_stopped(event: e.WorkerStopped) -> Line:
    back = f", {event.released} of them given back" if event.released else ""
    data = {"event": "worker_stopped", "worker": event.worker, "attempts": event.attempts}
    return logging.INFO, f"worker stopped after {many(event.attempts, 'attempt')}{back}", data


def _process_started(event: e.ProcessStarted) -> Line:
    data = {"event": "process_started", "worker": event.worker, "pid": event.pid}
    return logging.INFO, f"process {event.pid} started as worker {event.worker}", data


def _process_ended(event: e.ProcessEnded) -> Line:
    data = {"event": "process_ended", "worker": event.worker, "pid": event.pid, "code": event.code}
    how = f"was killed by {_signal_name(-event.code)}" if event.code < 0 else "ended"
    code = f" with exit code {event.code}" if event.code > 0 else ""
    text = f"process {event.pid} {how}{code} after {event.seconds:.1f} s (worker {event.worker})"
    return logging.WARNING if event.code else logging.INFO, text, data


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _process_delayed(event: e.ProcessDelayed) -> Line:
    data = {"event": "process_delayed", "deaths": event.deaths, "seconds": event.seconds}
    text = f"{event.deaths} processes in a row died young: the next one in {event.seconds:g} s"
    return logging.ERROR, text, data


def _process_not_started(event: e.ProcessNotStarted) -> Line:
    data = {"event": "process_not_started"}
    return logging.ERROR, f"a process cannot be started: {event.error}; trying again", data


def _thread_not_started(event: e.ThreadNotStarted) -> Line:
    data = {"event": "thread_not_started", "worker": event.worker}
    return logging.ERROR, f"no thread can be started: {event.error}; trying again", data


def _process_silent(event: e.ProcessSilent) -> Line:
    data = {"event": "process_silent", "worker": event.worker, "pid": event.pid}
    data |= {"jobs": [job.id for job in event.jobs[:100]]}
    text = (
        f"process {event.pid} gets no turn, something in it holds the interpreter: renewed its "
        f"leases ({', '.join(sorted({job.task for job in event.jobs}))})"
    )
    return logging.WARNING, text, data


def _process_stuck(event: e.ProcessStuck) -> Line:
    data = {"event": "process_stuck", "worker": event.worker, "pid": event.pid}
    text = f"process {event.pid} did not end in time: killing it (worker {event.worker})"
    return logging.WARNING, text, data


def _listener_failed(event: e.ListenerFailed) -> Line:
    data = {"event": "listener_failed"}
    return logging.ERROR, f"listener {event.listener!r} raised {event.error!r}", data


_RENDERERS: dict[type[e.Event], Callable[[Any], Line]] = {
    e.AttemptFailed: _attempt_failed,
    e.OutcomeRefused: _outcome_refused,
    e.LeaseLost: _lease_lost,
    e.ResultAwaited: _result_awaited,
    e.BodyStuck: _body_stuck,
    e.CallbackFailed: _callback_failed,
    e.ConditionFailed: _condition_failed,
    e.DefinitionChanged: _definition_changed,
    e.NurseryStarted: _nursery_started,
    e.WorkerStarted: _worker_started,
    e.WorkerDraining: _worker_draining,
    e.WorkerRetiring: _worker_retiring,
    e.WorkerStopped: _worker_stopped,
    e.ProcessStarted: _process_started,
    e.ProcessEnded: _process_ended,
    e.ProcessDelayed: _process_delayed,
    e.ProcessNotStarted: _process_not_started,
    e.ProcessSilent: _process_silent,
    e.ProcessStuck: _process_stuck,
    e.ThreadNotStarted: _thread_not_started,
    e.ListenerFailed: _listener_failed,
    **DUTIES,
}
