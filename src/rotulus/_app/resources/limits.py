"""The limits of an app: who holds each key, who waits, and terms that are set while workers run."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from rotulus._app.actor import current_actor
from rotulus._app.port import AppPort
from rotulus._app.resources.steering import steers
from rotulus._concurrency.pool import off_loop
from rotulus._jobs.record import moment
from rotulus._tasks.checks import check_some_seconds, whole_number
from rotulus._tasks.options import DEFAULT_PER
from rotulus._text.names import check_key
from rotulus._time.lengths import Seconds
from rotulus.errors import OptionError
from rotulus.store import LimitUse, SetTerms

MOST = 1_000_000
"""The largest limit, and the largest rate."""

_limit, _rate = whole_number(0, MOST), whole_number(1, MOST)

_SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class LimitInfo:
    """A key of limits as it stands: its terms, the jobs that hold it, and how many wait for it.

    Attributes:
        key: the key, such as `tenant:7`: the name of the task, unless it says otherwise.
        queues: the queues of its jobs, by name.
        tasks: their tasks, by name.
        limit: how many may run at once, none for 0; None: any number.
        rate: how many may start within `per`; None: any number.
        per: the seconds of the rate; None: there is no rate.
        holders: the ids of the jobs that run.
        waiting: how many jobs are due and wait.
        code_limit: the limit by the code, as its jobs have it; None: any number, or no job is
            there.
        code_rate: the rate by the code.
        code_per: the seconds of that rate.
        set_at: when other terms than those of the code were set; None: none are.
        set_by: who has set them; None: nobody has said.
    """

    key: str
    queues: list[str]
    tasks: list[str]
    limit: int | None
    rate: int | None
    per: float | None
    holders: list[str]
    waiting: int
    code_limit: int | None = None
    code_rate: int | None = None
    code_per: float | None = None
    set_at: datetime | None = None
    set_by: str | None = None

    @property
    def running(self) -> int:
        """How many jobs hold it."""
        return len(self.holders)

    @property
    def is_set(self) -> bool:
        """Whether terms are set that stand in place of those of the code."""
        return self.set_at is not None

    def to_dict(self) -> dict[str, Any]:
        """Returns all of it as plain data; moments as ISO 8601 text."""
        fields = {name: getattr(self, name) for name in self.__slots__}
        return fields | {"set_at": None if self.set_at is None else self.set_at.isoformat()}


LimitInfos = list[LimitInfo]
"""The result of `list`: in a class with a method of that name the type needs another name."""


class Limits:
    """`app.limits`: the keys of limits and rates, each verb also with an `a` in front.

    Limits stand in the code of tasks, and each job has those of its enqueue. Terms that are set
    stand in place of them for all jobs with the key: those that wait, and those that come.

    Args:
        port: gives the port of the app that answers.
    """

    def __init__(self, port: Callable[[], AppPort]) -> None:
        self._port = port

    def list(self) -> LimitInfos:
        """Returns the keys that jobs hold or wait for, or that have terms set, the fullest first.

        Where jobs of a key say different limits, the largest is told. Of the jobs that run, and of
        those that wait, 10,000 are looked at.
        """
        store = self._port().store()
        return sorted(_together(store.limits(), store.limit_terms.list()), key=_fullness)

    def get(self, key: str) -> LimitInfo:
        """Returns a key as it stands; it has no jobs where none runs or waits.

        Raises:
            OptionError: no key can be called that.
        """
        store, name = self._port().store(), check_key(key, "key")
        terms = store.limit_terms.get(name)
        found = _together(store.limits(key=name), [] if terms is None else [terms])
        return found[0] if found else LimitInfo(name, [], [], None, None, None, [], 0)

    @steers("limits.set")
    def set(
        self,
        key: str,
        *,
        limit: int | None = None,
        rate: int | None = None,
        per: Seconds | None = None,
    ) -> LimitInfo:
        """Set the terms of a key, in place of all that were set before; returns it as it stands.

        They hold from the next claim on, for jobs that wait and for those that are added later, in
        all workers. Jobs that run go on, and count. What is not given is as the code says.

        Args:
            key: the key; no job needs to have it yet.
            limit: how many of its jobs may run at once, from 0, for none, to 1,000,000.
            rate: how many may start within any `per` seconds, from 1 to 1,000,000.
            per: the length of that window, in seconds or as a timedelta; 1 second.

        Raises:
            OptionError: an argument is not allowed, or neither a limit nor a rate is given.
        """
        name = check_key(key, "key")
        if limit is None and rate is None:
            raise OptionError(
                f"What is the limit of {name!r}? Give limit= or rate=; app.limits.unset({name!r}) "
                f"has the terms of the code hold again"
            )
        if per is not None and rate is None:
            raise OptionError(f"per={per!r} is the window of a rate: give rate= as well")
        actor = current_actor()
        self._port().store().limit_terms.set(
            name,
            None if limit is None else _limit(limit, "limit"),
            None if rate is None else _rate(rate, "rate"),
            None
            if rate is None
            else check_some_seconds(DEFAULT_PER if per is None else per, "per"),
            None if actor is None else actor.name,
        )
        return self.get(name)

    @steers("limits.unset")
    def unset(self, key: str) -> LimitInfo:
        """Have the terms of the code hold again for a key; returns it as it stands.

        Raises:
            OptionError: no key can be called that.
        """
        name = check_key(key, "key")
        self._port().store().limit_terms.unset(name)
        return self.get(name)

    async def alist(self) -> LimitInfos:
        """`list`, without blocking the event loop."""
        return await off_loop(self.list)

    async def aget(self, key: str) -> LimitInfo:
        """`get`, without blocking the event loop."""
        return await off_loop(self.get, key)

    async def aset(
        self,
        key: str,
        *,
        limit: int | None = None,
        rate: int | None = None,
        per: Seconds | None = None,
    ) -> LimitInfo:
        """`set`, without blocking the event loop."""
        return await off_loop(partial(self.set, key, limit=limit, rate=rate, per=per))

    async def aunset(self, key: str) -> LimitInfo:
        """`unset`, without blocking the event loop."""
        return await off_loop(self.unset, key)


def _together(uses: Iterable[LimitUse], terms: Iterable[SetTerms]) -> LimitInfos:
    """Returns keys with what their jobs say and what is set for them."""
    known, set_terms = {use.key: use for use in uses}, {one.key: one for one in terms}
    keys = dict.fromkeys([*known, *set_terms])
    return [_info(key, known.get(key), set_terms.get(key)) for key in keys]


def _info(key: str, use: LimitUse | None, terms: SetTerms | None) -> LimitInfo:
    use = use or LimitUse(key, [], [], None, None, None, [], 0)
    limit, rate, per = use.limit_to, use.rate_to, use.rate_per
    if terms is not None:
        limit = limit if terms.limit_to is None else terms.limit_to
        if terms.rate_to is not None:
            rate, per = terms.rate_to, terms.rate_per
    return LimitInfo(
        key,
        use.queues,
        use.tasks,
        limit,
        rate,
        _seconds(per),
        use.holders,
        use.waiting,
        use.limit_to,
        use.rate_to,
        _seconds(use.rate_per),
        None if terms is None else moment(terms.set_at),
        None if terms is None else terms.set_by,
    )


def _seconds(length: int | None) -> float | None:
    return None if length is None else length / _SECOND


def _fullness(limit: LimitInfo) -> tuple[int, int, str]:
    """Sorts keys by what waits for them, then by what holds them."""
    return -limit.waiting, -len(limit.holders), limit.key
