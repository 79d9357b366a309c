"""Serverless, jobs without workers: `app.carry`, `receive`, `relay` and `tick`."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from rotulus._app.open_apps import OpenApp
from rotulus._app.ticking import Ticked
from rotulus._concurrency.pool import off_loop
from rotulus._engine.outbox_relay import Carrier
from rotulus._jobs.job import Job
from rotulus._tasks.arguments import Call
from rotulus.errors import OptionError

_PUBLISH_AGAIN_AFTER = 3600.0

_ONE_MESSAGE = timedelta(days=7)
"""How long a message is known again: services that deliver messages keep them for a week."""


class Serverless:
    """Has jobs carried to an endpoint outside, and does duties on demand."""

    _own: OpenApp

    def carry(self, carrier: Carrier, *, patience: float = _PUBLISH_AGAIN_AFTER) -> None:
        """Have the jobs of some tasks carried to an endpoint that runs them, from now on.

        Such a job waits in the carrier's queue, which no worker serves unless it is told to, and an
        entry in the outbox is stored with it. After an `enqueue` without a `connection` its message
        is published in the same call, if that can be done within seconds; if not, it is published
        later, by the next enqueue, by a worker, or by `tick`. With a `connection` of yours,
        call `relay` when you have committed.

        Workflows are not carried, and their steps are run by workers.

        Args:
            carrier: publishes the messages.
            patience: seconds after which a job that was published is published once more, if no
                attempt of it has begun meanwhile. Default one hour.

        Raises:
            OptionError: the app has another carrier; or its queue is not private; or a workflow is
                among the tasks that it carries; or the patience is not above 0.
        """
        if not 0 < patience < float("inf"):
            raise OptionError(f"patience={patience!r} is not allowed: give seconds above 0")
        self._own.active.engine.carry(carrier, patience)

    @property
    def carrier(self) -> Carrier | None:
        """The carrier of this app's jobs; None: there is none."""
        return self._own.active.engine.outbox_relay.carrier

    def receive(
        self,
        name: str,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        *,
        key: str,
        window: timedelta = _ONE_MESSAGE,
    ) -> Job[Any]:
        """Store a job for a message that has come from elsewhere, such as a scheduler.

        As `enqueue`, but no message is published for it, unless it is not begun for as long as
        the patience of `carry`.

        Args:
            name: the name of the task.
            args: its arguments by position.
            kwargs: its arguments by name.
            key: the identity of the message. It is the key of the job, in place of the task's key.
            window: how long a message with this key is the same: then the job of the first is
                given.

        Raises:
            ArgumentsError: the call does not fit the task, or an argument is not JSON.
            TaskNotFoundError: no task of that name is registered here.
            OptionError: the key or the window is not allowed.
            StoreError: the job could not be stored.
        """
        engine = self._own.active.engine
        task = engine.registry.get(name).using(key=key, window=window)
        return engine.port.receive(task, Call(tuple(args), dict(kwargs)))

    async def areceive(
        self,
        name: str,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        *,
        key: str,
        window: timedelta = _ONE_MESSAGE,
    ) -> Job[Any]:
        """`receive`, without blocking the event loop."""
        return await off_loop(partial(self.receive, name, args, kwargs, key=key, window=window))

    def relay(self, limit: int = 1000) -> int:
        """Publish the due messages of the outbox.

        Args:
            limit: at most so many messages.

        Returns:
            How many were published. Of those that were not, the event `PublishFailed` says why.

        Raises:
            StoreError: the store cannot be used.
        """
        return self._own.active.engine.outbox_relay.relay(limit)

    async def arelay(self, limit: int = 1000) -> int:
        """`relay`, without blocking the event loop."""
        return await off_loop(self.relay, limit)

    def tick(self) -> Ticked:
        """Do every duty of a worker once: for where there is none, each minute.

        Jobs whose worker is lost are taken back, schedules fire, the outbox is relayed, and old
        jobs are deleted. Any number of processes may do this at once.

        Raises:
            ConfigurationError: something is wired wrongly.
            StoreError: the store cannot be used.
        """
        return self._own.active.tick()

    async def atick(self) -> Ticked:
        """`tick`, without blocking the event loop."""
        return await off_loop(self.tick)
