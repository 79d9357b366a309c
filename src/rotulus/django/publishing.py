"""Whether messages are published: in the tests of a project, which run their jobs, none is."""

from collections.abc import Generator
from contextlib import contextmanager

_silent: list[object] = []
"""The blocks that want nothing published."""


@contextmanager
def publishing_nothing() -> Generator[None, None, None]:
    """Take messages for published, for the length of a block: none leaves this process."""
    block = object()
    _silent.append(block)
    try:
        yield
    finally:
        _silent.remove(block)


def is_publishing() -> bool:
    """Whether messages leave this process."""
    return not _silent
