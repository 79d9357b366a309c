"""An exception as data: type, message and traceback, shortened; this never raises."""

import traceback
from pathlib import Path
from types import TracebackType

from rotulus._jobs.outcome import ErrorInfo

LONGEST_MESSAGE = 2_000
LONGEST_TRACEBACK = 16_000

_OURS = str(Path(__file__).parent.parent)


def describe_error(error: BaseException) -> ErrorInfo:
    """Returns what is kept of an exception: the frames of the task's own code, and its text.

    It never raises, also when the exception's own methods do.
    """
    try:
        frames = own_frames(error.__traceback__)
        text = "".join(traceback.TracebackException(type(error), error, frames).format())
    except Exception as problem:  # noqa: BLE001 - formatting runs the exception's own code
        text = f"Traceback not available: {type(problem).__name__} while formatting it\n"
    return ErrorInfo(
        type=_clean(type(error).__name__),
        message=_clean(_shorten(_text(error), LONGEST_MESSAGE)),
        traceback=_clean(_shorten(text, LONGEST_TRACEBACK)),
    )


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as problem:  # noqa: BLE001 - __str__ is the exception's own code
        return f"<its __str__ raised {type(problem).__name__}>"


def own_frames(trace: TracebackType | None) -> TracebackType | None:
    """The frames of the task's own code: a traceback without the leading frames that are ours."""
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith(_OURS):
        trace = trace.tb_next
    return trace


def _shorten(text: str, longest: int) -> str:
    if len(text) <= longest:
        return text
    cut = f"\n... {len(text) - longest:,} characters left out ...\n"
    return text[: longest // 2] + cut + text[-longest // 2 :]


def _clean(text: str) -> str:
    """Text that every database takes."""
    return text.encode("utf-8", "backslashreplace").decode()
