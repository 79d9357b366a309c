"""A retry policy in English."""

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from rotulus._jobs.retry import Errors, Retry
from rotulus._time.lengths import LONGEST

_SHOWN = 3
"""How many delays are told one by one."""

_UNITS = (("h", 3600), ("min", 60))


def retry_in_words(retry: Retry) -> str:
    """Returns a policy in English: `5 attempts, after 1 s, 2 s, 4 s and so on, 60 s at most`."""
    if retry.attempts == 1:
        return "one attempt: what fails is not tried again"
    return f"{retry.attempts:,} attempts{_waits(retry)}{_which(retry)}"


def _waits(retry: Retry) -> str:
    calm = replace(retry, jitter=False)
    waits = [calm.seconds(failures, 0) for failures in range(1, min(retry.attempts, _SHOWN + 2))]
    if not any(waits):
        return ", each at once"
    if len(set(waits)) == 1 and len(waits) > 1:
        told = f", each {_length(waits[0])} after a failure"
    else:
        told = f", after {_listed([_length(one) for one in waits], retry)}"
    return f"{told}, give or take a quarter" if retry.jitter else told


def _listed(waits: Sequence[str], retry: Retry) -> str:
    if len(waits) <= _SHOWN:
        return " and ".join([", ".join(waits[:-1]), waits[-1]] if len(waits) > 1 else waits)
    most = retry.cap if not isinstance(retry.delay, Sequence) else max(retry.delay)
    end = f", {_length(most)} at most" if most < LONGEST else ""
    return f"{', '.join(waits[:_SHOWN])} and so on{end}"


def _which(retry: Retry) -> str:
    only = "" if retry.on is Exception else f"; only for {_named(retry.on)}"
    never = f"; never for {_named(retry.not_on)}" if retry.not_on else ""
    return only + never


def _named(errors: Errors) -> str:
    if isinstance(errors, tuple):
        kinds = cast("tuple[type[BaseException], ...]", errors)
        return ", ".join(kind.__name__ for kind in kinds)
    if isinstance(errors, type):
        return errors.__name__
    return f"what {getattr(errors, '__name__', 'a function')}() chooses"


def _length(seconds: float) -> str:
    for unit, size in _UNITS:
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:,.0f} {unit}"
    return f"{seconds:g} s"
