"""Listens for new work on a connection of its own, and makes sure that it can hear."""

import threading
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Literal

import psycopg

from rotulus._concurrency.starting import start_thread
from rotulus._forking import follow_forks
from rotulus._time.backoff import pause_after
from rotulus.errors import StoreError, ThreadNotStartedError
from rotulus.stores.postgres.address import Address
from rotulus.stores.postgres.connection import Connection, Connections, NoAnswerError
from rotulus.stores.postgres.source import Source

_TEST_EVERY = 60.0
"""Seconds between two tests of its own hearing."""

_HEARS_WITHIN = 5.0
"""Seconds for what it says to itself to come back."""

_CALL = 5.0
"""Seconds for one call on the listening connection."""

_LASTING = 15.0
"""Seconds after which a connection counts as one that worked."""

_EAR = 2.0
"""Seconds to hear for at once, so that `close` is noticed soon."""


class Listener:
    """Wakes the threads of this process that wait for work.

    What it hears is a hint: those who wait look for themselves, too, more often while it is deaf.

    Args:
        address: the database.
        connect: opens a connection to it before a moment of the monotonic clock; None: there is
            none to listen on, and nothing is heard.
        chance: random numbers from 0 to 1, to spread attempts after a failure.
    """

    def __init__(
        self,
        address: Address,
        connect: Callable[[float], Connection] | None,
        chance: Callable[[], float],
    ) -> None:
        self._connect = connect
        self._chance = chance
        self._channel = address.channel
        self._ended = False
        self.heard = 0
        """How often there was something to hear."""
        self.began = 0
        """How often it began to listen: what was said before has to be looked for."""
        self._reset()
        follow_forks(self._reset)

    def _reset(self) -> None:
        self._rung = threading.Condition()
        self._thread: threading.Thread | None = None
        self.hears = False
        """Whether it can be relied on: it is connected, and has heard itself lately."""

    def start(self) -> None:
        """Begin, unless it has begun, or has nothing to listen on."""
        if self._thread is not None or self._connect is None:
            return
        with self._rung:
            if self._thread is None and not self._ended:
                with suppress(ThreadNotStartedError):  # those who wait look, and start it again
                    listen = partial(self._keep_listening, self._connect)
                    self._thread = start_thread(listen, "rotulus-listener")

    def wait(self, heard: int, timeout: float) -> None:
        """Wait until something is heard, beyond what had been `heard`, or it begins to listen."""
        began = self.began
        with self._rung:
            self._rung.wait_for(
                lambda: self.heard != heard or self.began != began or self._ended, timeout
            )

    def wake(self) -> None:
        """Wake everybody, as if something was heard."""
        self._tell("heard")

    def close(self) -> None:
        """Stop, and wake everybody."""
        with self._rung:
            self._ended = True
            self._rung.notify_all()

    def _keep_listening(self, connect: Callable[[float], Connection]) -> None:
        failures = 0
        while not self._ended:
            started = time.monotonic()
            with suppress(psycopg.Error, NoAnswerError, StoreError, OSError):
                connection = connect(started + _CALL)
                try:
                    self._listen(connection)
                finally:
                    connection.close()
            self.hears = False
            failures = 1 if time.monotonic() - started > _LASTING else failures + 1
            with self._rung:
                self._rung.wait_for(lambda: self._ended, pause_after(failures, self._chance()))

    def _listen(self, connection: Connection) -> None:
        """Listen until the connection is lost, or does not bring what was said on it."""
        _say(connection, f'LISTEN "{self._channel}"')
        self._tell("began")
        tested_at, token = float("-inf"), ""
        while not self._ended:
            now = time.monotonic()
            if token and now - tested_at > _HEARS_WITHIN:
                return
            if not token and now - tested_at > _TEST_EVERY:
                tested_at, token = now, uuid.uuid4().hex
                _say(connection, f"NOTIFY \"{self._channel}\", '{token}'")
            wait = _EAR if self.hears else _EAR / 4
            for notice in connection.notifies(timeout=wait, stop_after=1):
                token = self._receive(notice.payload, token)

    def _receive(self, said: str, token: str) -> str:
        """Take in what was said; the token that is still waited for."""
        if not said:
            self._tell("heard")
        if said and said == token:
            self.hears = True
            return ""
        return token

    def _tell(self, what: Literal["heard", "began"]) -> None:
        with self._rung:
            if what == "heard":
                self.heard += 1
            else:
                self.began += 1
            self._rung.notify_all()


def listener_on(source: Source, chance: Callable[[], float]) -> Listener:
    """The listener of a store, which hears if connections are its own and last long enough."""
    if isinstance(source, Connections) and source.address.listen:
        return Listener(source.address, source.open, chance)
    return Listener(source.address, None, chance)


def _say(connection: Connection, statement: str) -> None:
    connection.deadline = time.monotonic() + _CALL
    connection.execute(statement.encode())
