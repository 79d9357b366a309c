"""The schedules that Cloud Scheduler and Rotulus read in the same way."""

import re

from rotulus._time.cron import Cron
from rotulus._time.schedule import find_zone
from rotulus.errors import OptionError

_FIELD = re.compile(r"\*(/\d+)?|\d+(-\d+(/\d+)?)?(,\d+(-\d+(/\d+)?)?)*")
_NAMES = ("minute", "hour", "day-of-month", "month", "day-of-week")


def check_cron(expression: object) -> str:
    """Returns a cron expression of five fields, with one space between them.

    A field is `*`, or a list of numbers and ranges; `*` and a range may have a step. Days of the
    week go from 0, which is Sunday, to 6. There are no names, such as `MON`, and no `@daily`:
    Cloud Scheduler would not take them all.

    Raises:
        OptionError: it is anything else, or never matches.
    """
    if not isinstance(expression, str):
        raise _invalid(expression, "it is no text")
    fields = expression.split()
    if len(fields) != len(_NAMES):
        raise _invalid(expression, f"it has {len(fields)} of them")
    for name, field in zip(_NAMES, fields, strict=True):
        if not _FIELD.fullmatch(field):
            raise _invalid(expression, f"the {name} field cannot be {field!r}")
    if _largest(fields[-1]) > 6:
        raise _invalid(expression, "days of the week go from 0 (Sunday) to 6 (Saturday)")
    try:
        return Cron(" ".join(fields)).expression
    except OptionError as error:
        raise _invalid(expression, str(error)) from None


def check_timezone(name: object) -> str:
    """Returns the IANA name of a time zone. Raises `OptionError` when there is no such zone."""
    try:
        find_zone(name)
    except OptionError as error:
        raise OptionError(
            f"Invalid timezone: {name!r}. Must be a valid IANA timezone (such as 'UTC' or "
            f"'Europe/London'). {error}"
        ) from None
    return str(name)


def _largest(field: str) -> int:
    """Returns the largest number of a field, its steps left out."""
    return max(map(int, re.findall(r"\d+", re.sub(r"/\d+", "", field))), default=0)


def _invalid(expression: object, problem: str) -> OptionError:
    return OptionError(
        f"Invalid cron expression: {expression!r}. Expected 5 space-separated fields (minute hour "
        f"day-of-month month day-of-week). Example: '0 3 * * *' for daily at 3:00. The problem: "
        f"{problem}"
    )
