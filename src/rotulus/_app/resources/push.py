"""The pushes of an app: the resources that they need, and what was delivered by them."""

import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import NamedTuple

from rotulus._app.answered import MOST_KEPT, AnsweredPushes
from rotulus._app.resources.push_infos import Provisioned, PushPlan, PushWanted
from rotulus._app.resources.where import check_limit
from rotulus._concurrency.pool import off_loop
from rotulus._engine.outbox_relay import Carrier
from rotulus._tasks.registry import TaskRegistry
from rotulus._time.lengths import Seconds, check_seconds
from rotulus.errors import ConfigurationError, OptionError
from rotulus.events import PushAnswered

PATIENCE = 20.0
"""Seconds for a plan, unless others are given."""

LONGEST_PATIENCE = 120.0


class PushParts(NamedTuple):
    """What an app has for its pushes.

    Attributes:
        carrier: publishes the messages; None: there is none.
        answered: the pushes that were answered.
        registry: the tasks.
        lease: seconds after which a process that hangs is given up.
    """

    carrier: Carrier | None
    answered: AnsweredPushes
    registry: TaskRegistry
    lease: float


@dataclass(frozen=True, slots=True)
class PushProcess:
    """The process whose deliveries are known: this one. Others keep their own.

    Attributes:
        host: the machine that it runs on.
        pid: its number there.
        since: from when on its deliveries are kept.
    """

    host: str
    pid: int
    since: datetime


class Push:
    """`app.push`: how jobs are pushed to an endpoint; each verb also with an `a` in front.

    Args:
        parts: gives what the app has for its pushes.
    """

    def __init__(self, parts: Callable[[], PushParts]) -> None:
        self._parts = parts

    def wanted(self) -> PushWanted:
        """Returns the resources that the routes want: topics, subscriptions, scheduler jobs.

        They come from the routes and the settings, and nobody is asked for them. The answer also
        names settings that are missing or wrong.
        """
        parts = self._parts()
        if not isinstance(parts.carrier, Provisioned):
            return PushWanted(carried=False)
        return parts.carrier.wanted(parts.registry, parts.lease)

    def plan(self, *, patience: Seconds = PATIENCE) -> PushPlan:
        """Ask for the resources that are there. Returns how they differ; nothing is changed.

        `rotulus gcp plan` prints the same, and `rotulus gcp apply` carries it out.

        Args:
            patience: seconds, 120 at most; what was not looked at then is a problem of the plan.
                Default 20.

        Raises:
            ConfigurationError: the app has no routes; or a setting, a package or the credentials
                are missing.
            OptionError: the patience is not allowed.
        """
        seconds = check_seconds(patience, "patience")
        if not 0 < seconds <= LONGEST_PATIENCE:
            raise OptionError(
                f"patience={patience!r} is not allowed: give seconds above 0, and "
                f"{LONGEST_PATIENCE:g} at most"
            )
        parts = self._parts()
        if not isinstance(parts.carrier, Provisioned):
            raise ConfigurationError(
                "This app has no routes, so there is nothing to compare: call "
                "app.carry(PubSubCarrier([TaskRoute(send_welcome)])) where it is made"
            )
        return parts.carrier.planned(parts.registry, parts.lease, seconds)

    def deliveries(
        self, limit: int = MOST_KEPT, *, refused: bool | None = None
    ) -> list[PushAnswered]:
        """Returns the last pushes that this process has answered, the last one first.

        They are kept in memory: 200 that were let in, and 200 that were refused. Of messages only
        the ids are kept.

        Args:
            limit: at most so many.
            refused: only those that were refused, or only the others; both unless given.

        Raises:
            OptionError: the limit is no whole number, or below 1.
        """
        if check_limit(limit) < 1:
            raise OptionError(f"limit={limit!r} is not allowed: give 1 or more")
        return self._parts().answered.last(limit, refused=refused)

    def process(self) -> PushProcess:
        """Returns the process whose deliveries are known, which is this one."""
        return PushProcess(socket.gethostname(), os.getpid(), self._parts().answered.since)

    async def awanted(self) -> PushWanted:
        """`wanted`, without blocking the event loop."""
        return await off_loop(self.wanted)

    async def aplan(self, *, patience: Seconds = PATIENCE) -> PushPlan:
        """`plan`, without blocking the event loop."""
        return await off_loop(partial(self.plan, patience=patience))

    async def adeliveries(
        self, limit: int = MOST_KEPT, *, refused: bool | None = None
    ) -> list[PushAnswered]:
        """`deliveries`, without blocking the event loop."""
        return await off_loop(partial(self.deliveries, limit, refused=refused))

    async def aprocess(self) -> PushProcess:
        """`process`, without blocking the event loop."""
        return await off_loop(self.process)
