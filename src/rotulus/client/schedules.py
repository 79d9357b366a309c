"""`client.schedules`: when which task is fired."""

from datetime import datetime

from rotulus.client.calls import Call, get, path_of, query_of, reader
from rotulus.client.schedule_verbs import ScheduleVerbs
from rotulus.client.values import Page, Schedule, page_reader

_schedule, _page, _instants = reader(Schedule), page_reader(Schedule), page_reader(datetime)


class Schedules(ScheduleVerbs):
    """The schedules of a service, with the verbs of `app.schedules`."""

    def list(self) -> Page[Schedule]:
        """Returns the schedules, declared and added ones, by name."""
        found = Page[Schedule]()
        after: str | None = None
        while True:
            page = self._wire.send(_list(after))
            found += page
            if (after := page.next) is None:
                return found

    def get(self, name: str) -> Schedule:
        """Returns a schedule. Raises `ScheduleNotFoundError`."""
        return self._wire.send(_one(name))

    def instants(self, name: str, count: int = 5, after: datetime | None = None) -> Page[datetime]:
        """Returns the next instants of a schedule, in UTC, also while it is paused.

        Args:
            name: its name.
            count: how many at most: up to 1,000.
            after: the moment after which they are; now unless given.
        """
        return self._wire.send(_next(name, count, after))

    async def alist(self) -> Page[Schedule]:
        """`list`, for coroutines."""
        found = Page[Schedule]()
        after: str | None = None
        while True:
            page = await self._wire.asend(_list(after))
            found += page
            if (after := page.next) is None:
                return found

    async def aget(self, name: str) -> Schedule:
        """`get`, for coroutines."""
        return await self._wire.asend(_one(name))

    async def ainstants(
        self, name: str, count: int = 5, after: datetime | None = None
    ) -> Page[datetime]:
        """`instants`, for coroutines."""
        return await self._wire.asend(_next(name, count, after))


def _list(after: str | None) -> Call[Page[Schedule]]:
    return get("/schedules", _page, query_of(limit=500, after=after))


def _one(name: str) -> Call[Schedule]:
    return get(path_of("schedules", name), _schedule)


def _next(name: str, count: int, after: datetime | None) -> Call[Page[datetime]]:
    query = query_of(count=count, after=after)
    return get(path_of("schedules", name, "$instants"), _instants, query)
