"""The fingerprint of a failure: the same for failures that have the same cause in the code."""

import hashlib
import re
import reprlib
import sys
import sysconfig
from collections.abc import Iterable
from functools import lru_cache
from types import FrameType, TracebackType

from rotulus.errors import OptionError

LENGTH = 12
"""Characters of a fingerprint, which are hexadecimal digits."""

_FINGERPRINT = re.compile(rf"[0-9a-f]{{{LENGTH}}}")

_INSTALLED = ("/site-packages/", "/dist-packages/")


def fingerprint_of(error: BaseException, trace: TracebackType | None) -> str:
    """Returns the fingerprint of an exception: of its type, and of the functions it came through.

    Lines, messages and values do not count, nor how often a function called itself, nor frames of
    the standard library and of installed packages, unless there are no others. So an edit
    elsewhere in a file, another customer and another version of a library leave it as it is.

    Args:
        error: the exception.
        trace: the frames that count, from the task's function on.
    """
    frames = list(_frames(trace))
    own = [frame for frame in frames if not _is_installed(frame.f_code.co_filename)]
    kind = type(error)
    return fingerprint(f"{kind.__module__}.{kind.__qualname__}", map(_function, own or frames))


def fingerprint(kind: str, functions: Iterable[str] = ()) -> str:
    """Returns the fingerprint of failures of one kind, in functions from the outermost on."""
    text = "\n".join([kind, *dict.fromkeys(functions)])
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:LENGTH]


def _frames(trace: TracebackType | None) -> Iterable[FrameType]:
    while trace is not None:
        yield trace.tb_frame
        trace = trace.tb_next


def _function(frame: FrameType) -> str:
    return f"{frame.f_globals.get('__name__')}:{frame.f_code.co_qualname}"


@lru_cache(maxsize=1024)
def _is_installed(path: str) -> bool:
    """Whether code is part of Python or of an installed package. Frozen modules have no path."""
    plain = path.replace("\\", "/")
    if any(part in plain for part in _INSTALLED) or path.startswith("<frozen"):
        return True
    libraries = {sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")}
    return any(path.startswith(library) for library in libraries if library != sys.prefix)


def check_fingerprint(value: object) -> str:
    """Returns a fingerprint. Raises `OptionError` for what is none."""
    if isinstance(value, str) and _FINGERPRINT.fullmatch(value):
        return value
    raise OptionError(
        f"{reprlib.repr(value)} is no fingerprint of a failure: they have {LENGTH} hexadecimal "
        f"digits, and 'rotulus failures' shows them"
    )
