"""Inside a task process: runs the attempts that frames ask for, and sends back their outcomes."""

import asyncio
import os
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple, Protocol

from rotulus._engine.execution import Execution, Stop
from rotulus._engine.isolation.frames import FrameStream
from rotulus._engine.isolation.system import memory_limit
from rotulus._engine.loop import run_to_end
from rotulus._engine.threads import Threads
from rotulus._jobs.outcome import Outcome
from rotulus._jobs.record import JobRecord

_TELL_EVERY = 0.5
"""Seconds between two looks for news to send."""


class Door(Protocol):
    """The one door to user code: an executor."""

    async def execute(self, run: Execution) -> Outcome:
        """Run one attempt."""
        ...

    def interrupted(self, run: Execution, error: BaseException) -> Outcome:
        """The outcome of an attempt that was stopped before it began."""
        ...

    async def close(self) -> None:
        """Tear down what was made for all jobs together."""
        ...


class _Order(NamedTuple):
    """An attempt to make, and how many MiB it may allocate."""

    job: JobRecord
    memory: int | None


def live(end: socket.socket, make_door: Callable[[Threads], Door]) -> None:
    """Run attempts until the worker hangs up. Signals are left to the worker."""
    run_to_end(_Inside(make_door).live(end), lambda: None)


class _Inside:
    def __init__(self, make_door: Callable[[Threads], Door]) -> None:
        self._make_door = make_door
        self._line = FrameStream(self._hear, self._hung_up)
        self._orders: asyncio.Queue[_Order | None] = asyncio.Queue()
        self._run: Execution | None = None
        self._told_waiting: str | None = None

    async def live(self, end: socket.socket) -> None:
        """Run what comes in, until nothing more will."""
        threads = Threads(asyncio.get_running_loop(), "rotulus-task", keep=1)
        door = self._make_door(threads)
        await self._line.open(end)
        while order := await self._orders.get():
            await self._obey(order, door)
        await door.close()
        threads.close()

    def _hear(self, kind: str, values: Sequence[Any]) -> None:
        if kind == "run":
            record, memory = values
            self._orders.put_nowait(_Order(JobRecord._make(record), memory))
        elif self._run is not None:
            self._run.stop(Stop(values[0]))

    def _hung_up(self) -> None:
        if self._run is not None:
            os._exit(0)  # nobody waits for what it comes to
        self._orders.put_nowait(None)

    async def _obey(self, order: _Order, door: Door) -> None:
        run = self._run = Execution(order.job)
        with memory_limit(order.memory):
            outcome = await self._execute(run, door)
        self._run = None
        self._tell_news(run)
        _flush()
        self._line.say("outcome", *outcome)

    async def _execute(self, run: Execution, door: Door) -> Outcome:
        body = asyncio.create_task(door.execute(run))
        run.interrupt = body.cancel
        while not (await asyncio.wait({body}, timeout=_TELL_EVERY))[0]:
            self._tell_news(run)
        try:
            return body.result()
        except asyncio.CancelledError as error:
            return door.interrupted(run, error)

    def _tell_news(self, run: Execution) -> None:
        """Tell how far it has got, and which job it waits for."""
        if run.awaits != self._told_waiting:
            self._told_waiting = run.awaits
            self._line.say("awaits", run.awaits)
        text = run.unstored_progress()
        if text is not None:
            self._line.say("progress", text)
            run.progress_stored(text)


def _flush() -> None:
    """Let what was printed be seen: this process may be killed before it would be."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):  # the body may have closed it, or put anything in its place
            stream.flush()
