"""Warnings at the line of the caller, and whether the caller is on an event loop."""

import asyncio
import inspect
import warnings
from pathlib import Path

from rotulus.errors import RotulusWarning

_PACKAGE = str(Path(__file__).parent)


def warn_caller(message: str, kind: type[Warning] = RotulusWarning) -> None:
    """Show a warning at the innermost line that is not of this package."""
    frame, level = inspect.currentframe(), 1
    while frame is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, kind, stacklevel=level)


def on_event_loop() -> bool:
    """Returns whether this thread runs an event loop now."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
