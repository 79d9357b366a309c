"""Checks of names: of tasks, queues and keys; and the nearest name to a wrong one."""

import difflib
import functools
import inspect
import re
import reprlib
from collections.abc import Collection, Iterable
from typing import Any, TypeVar

from rotulus.errors import OptionError

K = TypeVar("K")

LONGEST_NAME = 200
LONGEST_KEY = 400

_SEGMENT = re.compile(r"[A-Za-z0-9_-]+")
_TASK = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
_QUEUE = re.compile(r"_?[A-Za-z0-9][A-Za-z0-9_.:-]*")


def check_task_name(name: object, kind: str = "Task") -> str:
    """A task name: segments of letters, digits, `_` and `-`, joined by dots; 200 characters.

    Args:
        name: the name.
        kind: what else is named so, as an error calls it.
    """
    if isinstance(name, str) and len(name) <= LONGEST_NAME and _TASK.fullmatch(name):
        return name
    if name == "<lambda>":
        raise OptionError(
            "Task name '<lambda>' is not allowed: write a def, or give the task a name, such as "
            "'emails.send_welcome': task('emails.send_welcome')(lambda ...)"
        )
    raise OptionError(
        f"{kind} name {name!r} is not allowed: use letters, digits, '_' and '-', in segments "
        f"joined by dots, such as 'emails.send_welcome' (at most {LONGEST_NAME} characters)"
    )


def check_url_safe_name(name: object) -> str:
    """A task name of one segment, which can stand in a URL path as it is."""
    if isinstance(name, str) and len(name) <= LONGEST_NAME and _SEGMENT.fullmatch(name):
        return name
    raise OptionError(
        f"Task name {name!r} must be URL-safe (alphanumeric, underscore, hyphen only); "
        f"dotted names are declared with @task(name=...)"
    )


def check_queue_name(name: object) -> str:
    """A queue name: a letter or digit, then letters, digits and `_.:-`; 200 characters.

    A `_` in front makes the queue private: see `serves`.
    """
    if isinstance(name, str) and len(name) <= LONGEST_NAME and _QUEUE.fullmatch(name):
        return name
    raise OptionError(
        f"Queue name {name!r} is not allowed: start with a letter or digit, then letters, "
        f"digits and '_.:-' (at most {LONGEST_NAME} characters)"
    )


def serves(queues: Collection[str] | None, queue: str) -> bool:
    """Returns whether a worker that serves these queues serves this one.

    A worker without queues serves all but the private ones: those are for workers that name them.
    """
    return not queue.startswith("_") if queues is None else queue in queues


def check_key(key: object, option: str) -> str:
    """A key: any printable text of 1 to 400 characters."""
    if isinstance(key, str) and 0 < len(key) <= LONGEST_KEY and key.isprintable():
        return key
    raise OptionError(
        f"{option}={reprlib.repr(key)} is not allowed: a key is printable text of 1 to "
        f"{LONGEST_KEY} characters"
    )


def is_storable(text: str) -> bool:
    """Returns whether every store can hold a text: it has no NUL, and no half of a character."""
    try:
        return b"\0" not in text.encode()
    except UnicodeEncodeError:
        return False


def refuse_unknown(kind: type[K]) -> type[K]:
    """Let a class raise `OptionError` for an argument that it does not take, with the nearest."""
    make: Any = kind.__init__
    known = [name for name in inspect.signature(make).parameters if name != "self"]

    @functools.wraps(make)
    def checked(self: Any, *args: Any, **kwargs: Any) -> None:
        for name in kwargs.keys() - known:
            raise OptionError(
                f"{kind.__name__}() has no argument {name!r}{did_you_mean(name, known) or '.'} "
                f"There are: {', '.join(known)}"
            )
        make(self, *args, **kwargs)

    setattr(kind, "__init__", checked)  # noqa: B010 - to a type checker, it is what it was
    return kind


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`"; did you mean 'x'?"` when a known name is near to this one, else nothing."""
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
