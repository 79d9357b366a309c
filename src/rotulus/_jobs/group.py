"""`Group`: jobs that are enqueued one by one, with one callback when all of them have ended."""

from types import TracebackType
from typing import Any, Protocol, Self

from rotulus._concurrency.pool import off_loop
from rotulus._jobs.job import Job
from rotulus._jobs.port import JobPort
from rotulus._jobs.record import JobRecord
from rotulus.errors import GroupError


class GroupPort(Protocol):
    """Where groups are: the app that they belong to."""

    @property
    def jobs(self) -> JobPort:
        """Where their jobs ask how they stand."""
        ...

    @property
    def place(self) -> object:
        """The store that they are in."""
        ...

    def open(self, name: str, then: Any) -> JobRecord:
        """Returns the head of an open group: a new one, or the one of that name."""
        ...

    def find(self, name: str) -> JobRecord:
        """Returns the head of the last group of that name. Raises `GroupNotFoundError`."""
        ...

    def close(self, head_id: str) -> None:
        """Let nobody add jobs any more."""
        ...


class Group:
    """Jobs that are enqueued one by one, and the job that runs when all of them have ended.

    Made by `app.group(...)`. As a context manager, `with` or `async with`, it is opened at the
    beginning and closed at the end. An exception that leaves the block leaves it open: not all
    jobs are there, and somebody may go on, close it or cancel it.
    """

    def __init__(self, name: str, then: Any, port: GroupPort) -> None:
        self.name = name
        self._then = then
        self._port = port
        self._head: JobRecord | None = None

    @property
    def id(self) -> str:
        """The id of the run, which is that of the job of the callback.

        Raises:
            GroupError: it was not opened here.
        """
        return self._opened().id

    @property
    def job(self) -> Job[Any]:
        """The job of the callback, as it stood when the group was opened or closed here.

        Raises:
            GroupError: it was not opened here.
        """
        return Job(self._opened(), self._port.jobs)

    def open(self) -> Self:
        """Begin the group, or go on with the one of that name that is open.

        Raises:
            GroupClosedError: the one of that name is closed, and has not ended.
            GroupNotFoundError: there is none of that name, and no `then` to begin one.
            GroupError: the one of that name has another callback.
            ArgumentsError: the callback does not take the outcomes of jobs.
            StoreError: the store could not be written.
        """
        self._head = self._port.open(self.name, self._then)
        return self

    def close(self) -> Job[Any]:
        """Add no more jobs: the callback runs once all of them have ended.

        A group that was not opened here is found by its name. To close what is closed changes
        nothing.

        Returns:
            The job of the callback.

        Raises:
            GroupNotFoundError: there is no group of that name.
            StoreError: the store could not be written.
        """
        head = self._head or self._port.find(self.name)
        self._port.close(head.id)
        self._head = self._port.jobs.look(head.id)
        return self.job

    async def aopen(self) -> Self:
        """`open`, without blocking the event loop."""
        return await off_loop(self.open)

    async def aclose(self) -> Job[Any]:
        """`close`, without blocking the event loop."""
        return await off_loop(self.close)

    def is_in(self, place: object) -> bool:
        """Returns whether the group is in this store."""
        return self._port.place is place

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()

    async def __aenter__(self) -> Self:
        return await self.aopen()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None:
            await self.aclose()

    def __repr__(self) -> str:
        opened = "" if self._head is None else f" {self._head.id}"
        return f"<Group {self.name!r}{opened}>"

    def _opened(self) -> JobRecord:
        if self._head is None:
            raise GroupError(
                f"Group {self.name!r} is not open here: enqueue its jobs within 'with "
                f"app.group({self.name!r}, then=...) as g:', or call g.open() before"
            )
        return self._head
