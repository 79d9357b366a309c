"""Two weeks of the past of the shop: ordinary days, and what happened on some of them."""

import heapq
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count

from rotulus import App
from rotulus.demo.customers import Customers
from rotulus.demo.episodes import Episodes
from rotulus.demo.replay import Replay, let_pass, stamped
from rotulus.demo.shop import open_shop
from rotulus.demo.world import UNWELL_FOR, World
from rotulus.testing import SettableClock

DAYS = 14
"""How many days the past has."""

_SLOTS = 6

_BUSY = (0.2, 0.1, 0.1, 0.1, 0.1, 0.2, 0.5, 0.9, 1.3, 1.6, 1.7, 1.6)
_BUSY_LATER = (1.4, 1.4, 1.5, 1.6, 1.7, 1.7, 1.8, 1.9, 1.7, 1.2, 0.7, 0.4)
"""How many customers come in an hour of the day, from midnight and from noon on, to the mean."""

_LATELY = 140
"""How many times more come in the last hour, most of them at its end: people are looking on."""

Show = Callable[[float, float, str], object]
"""Is told how far the history has got: days, of how many, and the day."""


def make_history(
    url: str, seed: int, now: datetime, *, an_hour: float = 0.7, show: Show | None = None
) -> None:
    """Fill a store with the past of the shop. Nothing of it is invented: each job was run.

    The same seed makes the same history, apart from ids and the names of workers.

    Args:
        url: an empty store, whose clock is that of its app: SQLite.
        seed: of what happens by chance.
        now: the end of the history.
        an_hour: how many customers come in an hour, on average.
        show: is told how far it has got.
    """
    end = now.astimezone(UTC).replace(microsecond=0)
    clock = SettableClock(end - timedelta(days=DAYS))
    world = World(seed, clock.now, partial(let_pass, clock), end - UNWELL_FOR)
    with stamped(clock.now), open_shop(url, world, clock) as app:
        replay = Replay(app, clock, _SLOTS)
        _Past(app, replay, world, end, an_hour).make(show or _untold)


def _untold(_days: float, _of: float, _day: str) -> None:
    pass


class _Past:
    """What happens at which moment, the earliest first."""

    def __init__(
        self, app: App, replay: Replay, world: World, end: datetime, an_hour: float
    ) -> None:
        self._app = app
        self._replay = replay
        self._begin = replay.clock.now()
        self._end = end
        self._moments: list[tuple[datetime, int, Callable[[], object]]] = []
        self._numbers = count()
        customers = Customers(app, world)
        app.tick()  # the schedules of the code are in the store from the beginning
        for ago, happens in Episodes(app, replay, world, customers).planned():
            self._plan(end - ago, happens)
        for at in _visits(world, self._begin, end, an_hour):
            self._plan(at, customers.come)
        for schedule in app.schedules.list():
            self._plan_firing(schedule.name)

    def make(self, show: Show) -> None:
        """Let all of it happen."""
        while self._moments and self._moments[0][0] <= self._end:
            at, _, happens = heapq.heappop(self._moments)
            self._replay.catch_up(at)
            happens()
            days = (at - self._begin) / timedelta(days=1)
            show(round(days, 1), DAYS, f"{at:%d %B}")
        self._replay.catch_up(self._end)
        self._app.tick()

    def _plan(self, at: datetime, happens: Callable[[], object]) -> None:
        heapq.heappush(self._moments, (at, next(self._numbers), happens))

    def _plan_firing(self, name: str) -> None:
        """Plan the next instant of a schedule, and after it the next one."""

        def fire() -> None:
            self._app.tick()
            self._plan_firing(name)

        for at in self._app.schedules.instants(name, 1):
            self._plan(at.astimezone(UTC), fire)


def _visits(world: World, begin: datetime, end: datetime, an_hour: float) -> Iterator[datetime]:
    """The moments at which customers come."""
    hour = begin
    while hour < end:
        mean = an_hour * (*_BUSY, *_BUSY_LATER)[hour.hour]
        many = int(mean) + world.chance(mean % 1)
        for seconds in sorted(world.random.uniform(0, 3600) for _ in range(many)):
            yield hour + timedelta(seconds=round(seconds, 3))
        hour += timedelta(hours=1)
    lately = round(_LATELY * an_hour)
    for share in sorted((world.random.random() for _ in range(lately)), reverse=True):
        yield end - timedelta(seconds=round(3600 * share * share, 3))
