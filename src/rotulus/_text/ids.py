"""Job ids: UUID version 7 (RFC 9562), which sort by the time of their creation."""

import re
from collections import deque
from collections.abc import Callable
from datetime import datetime
from itertools import count, islice
from random import Random

from rotulus._forking import follow_forks

_ID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
_COUNTER_BITS = 74
_START_BITS = _COUNTER_BITS - 1
_START_MASK = (1 << _START_BITS) - 1
_DIGITS = 32
_HEXADECIMAL = frozenset("0123456789abcdef")
_DRAWN = 32
"""Starting points that are drawn at a time: each draw asks the system."""
_TAIL = 12
"""Digits of the last group of an id, which hold the lowest bits of the counter."""
_TAIL_MASK = 0xFFFF_FFFF_FFFF


class Ids:
    """Makes ids, each larger than the one before, also within one millisecond.

    Args:
        now: the clock.
        random: the source of random bits; it must not repeat itself in a forked process.
    """

    def __init__(self, now: Callable[[], datetime], random: Random) -> None:
        self._now = now
        self._random = random
        self._begin()
        follow_forks(self._begin)

    def _begin(self) -> None:
        """In a forked child: begin at random again, as other children do."""
        self._counters: dict[int, count[int]] = {}
        self._starts: list[int] = []

    def __call__(self) -> str:
        """Returns a new id: 36 characters of lower-case hexadecimal and hyphens."""
        return _text(next(self._counter(self._milliseconds())))

    def many(self, number: int) -> list[str]:
        """Returns as many new ids, in order."""
        if not number:
            return []
        counter = self._counter(self._milliseconds())
        # Counted on at once, in C: neither a thread nor a signal handler comes in between.
        [last] = deque(islice(counter, number), maxlen=1)
        return _texts(last - number + 1, number)

    def _milliseconds(self) -> int:
        return int(self._now().timestamp() * 1000)

    def _counter(self, milliseconds: int) -> "count[int]":
        """Returns the counter for a moment, or for a later moment that has been used already."""
        latest = max(self._counters, default=0)
        if milliseconds <= latest:
            # Another thread may have moved on meanwhile.
            return self._counters.get(latest) or self._counter(milliseconds)
        # The bits after the time count up from a random start in the lower half of their range:
        # they do not run over, and no two processes meet.
        start = milliseconds << _COUNTER_BITS | self._start()
        counter = self._counters.setdefault(milliseconds, count(start))
        for earlier in [one for one in list(self._counters) if one < milliseconds]:
            self._counters.pop(earlier, None)
        return counter

    def _start(self) -> int:
        """Returns random bits for the start of a counter; no two callers get the same."""
        while True:
            try:
                return self._starts.pop()
            except IndexError:
                drawn = self._random.getrandbits(_START_BITS * _DRAWN)
                places = range(0, _START_BITS * _DRAWN, _START_BITS)
                self._starts.extend(drawn >> place & _START_MASK for place in places)


def _texts(start: int, number: int) -> list[str]:
    """Returns ids that count up from a value; most of them differ in the last group only."""
    head, low = _text(start)[:-_TAIL], start & _TAIL_MASK
    if low + number > _TAIL_MASK:
        return [_text(value) for value in range(start, start + number)]
    return [f"{head}{tail:012x}" for tail in range(low, low + number)]


def is_id(value: str) -> bool:
    """Returns whether a text can be the id of a job."""
    return _ID.fullmatch(value) is not None


def id_range(beginning: str) -> tuple[str, str] | None:
    """Returns the first and the last id that begin so; None when no id does.

    Hyphens may be left out, and letters may be capitals.
    """
    digits = beginning.replace("-", "").lower()
    if not 0 < len(digits) <= _DIGITS or not set(digits) <= _HEXADECIMAL:
        return None
    return _grouped(digits.ljust(_DIGITS, "0")), _grouped(digits.ljust(_DIGITS, "f"))


def lowest_id(moment: int) -> str:
    """Returns an id that no id of a later moment is below; microseconds since 1970."""
    return _grouped(f"{max(0, moment) // 1000:012x}".ljust(_DIGITS, "0"))


def _text(value: int) -> str:
    """48 bits of time, 4 of version, 12 of counter, 2 of variant, 62 of counter."""
    number = (value >> _COUNTER_BITS) << 80 | 7 << 76 | (value >> 62 & 0xFFF) << 64
    return _grouped(f"{number | 2 << 62 | value & 0x3FFF_FFFF_FFFF_FFFF:032x}")


def _grouped(digits: str) -> str:
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
