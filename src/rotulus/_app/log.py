"""Logs events: each event says its level, its line and its data."""

import logging

from rotulus._app.tracebacks import folded
from rotulus.events import Event, Events

logger = logging.getLogger("rotulus")


def log_events(events: Events) -> None:
    """Log what happens to the logger `rotulus`, from now on.

    What succeeds is logged at DEBUG, what a person may want to know at INFO, what will be tried
    again at WARNING, and what needs somebody at ERROR. Each record carries its data as
    `record.rotulus`, a dict, for structured logs. The line of a failed attempt has the exception in
    `exc_info`, if it was raised in this process, and its traceback in `exc_text`, where the frames
    of libraries are folded; the whole text is `record.rotulus["traceback"]`. Which levels are
    logged is up to the logger at the moment of the line.
    """
    events.subscribe(_log, *(kind for kind in Event.kinds if kind.is_logged()))


def _log(event: Event) -> None:
    level = event.level
    if not _is_heard(level):
        return
    raised = event.raised
    exc_info = None if raised is None else (type(raised), raised, raised.__traceback__)
    data = {"event": event.name, **event.data()}
    record = logger.makeRecord(
        logger.name, level, __file__, 0, event.line(), (), exc_info, extra={"rotulus": data}
    )
    if text := data.get("traceback"):
        record.exc_text = folded(text)
    logger.handle(record)


def _is_heard(level: int) -> bool:
    """Whether a line of this level is to be logged.

    `dictConfig` disables every logger that exists and that it does not name, unless it is told not
    to. A worker must not fall silent by accident; who wants silence sets a level.
    """
    if logger.disabled:
        logger.disabled = False
    return logger.isEnabledFor(level)
