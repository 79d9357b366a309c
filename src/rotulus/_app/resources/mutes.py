"""`MuteInfo`: a failure group that is no news for a time; and how somebody says for how long."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rotulus._jobs.record import Micros, micros, moment
from rotulus._text.names import is_storable
from rotulus._time.lengths import Seconds, check_moment, check_seconds
from rotulus.errors import OptionError
from rotulus.store import Mute

Until = datetime | Seconds
"""Until when a group is muted: a moment, or how long from now."""

_LONGEST_NOTE = 500


@dataclass(frozen=True, slots=True)
class MuteInfo:
    """A failure group is no news for a time.

    Attributes:
        until: the moment from which it is news again; None: never, unless somebody unmutes it.
        muted_at: when it was muted.
        muted_by: who did it; None: nobody has said.
        note: why; None: nobody has said.
    """

    until: datetime | None
    muted_at: datetime
    muted_by: str | None
    note: str | None

    def to_dict(self) -> dict[str, Any]:
        """Returns its attributes by name, as JSON data; its times are ISO 8601 text."""
        return {
            "until": None if self.until is None else self.until.isoformat(),
            "muted_at": self.muted_at.isoformat(),
            "muted_by": self.muted_by,
            "note": self.note,
        }


def mute_info(mute: Mute) -> MuteInfo:
    """Returns a mute that the store tells."""
    until = None if mute.until is None else moment(mute.until)
    return MuteInfo(until, moment(mute.muted_at), mute.muted_by, mute.note)


def read_until(until: Until | None, now: Micros) -> Micros | None:
    """Returns the moment that is meant. Raises `OptionError` for no moment, and no length of time.

    Args:
        until: a moment, seconds or a timedelta; None: for good.
        now: the present moment of the store.
    """
    if until is None:
        return None
    if isinstance(until, datetime):
        return micros(check_moment(until, "until"))
    return now + round(check_seconds(until, "until") * 1_000_000)


def is_over(until: object) -> OptionError:
    """Returns the error for a moment that is over."""
    shown = until.isoformat() if isinstance(until, datetime) else repr(until)
    return OptionError(
        f"until={shown} is not allowed: that mutes nothing; give a moment to come, or a length "
        f"of time above 0"
    )


def check_note(note: object) -> str | None:
    """Returns a note as it is. Raises `OptionError` unless it is a text of a limited length."""
    if note is None:
        return None
    if isinstance(note, str) and 0 < len(note) <= _LONGEST_NOTE and is_storable(note):
        return note
    raise OptionError(
        f"note: give a text of 1 to {_LONGEST_NOTE} characters, without NUL, or none at all"
    )
