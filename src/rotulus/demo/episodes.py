"""What was out of the ordinary in the two weeks: losses, refusals, pauses, and those who helped."""

from collections.abc import Callable, Iterator
from datetime import timedelta

from rotulus import App
from rotulus.demo.customers import Customers, Order
from rotulus.demo.replay import Replay
from rotulus.demo.tasks import (
    export_orders,
    resize,
    send_flash,
    send_mail,
    stitch,
    tell_pictures,
)
from rotulus.demo.world import World
from rotulus.store import ClaimFilter

Episode = tuple[timedelta, Callable[[], object]]
"""How long ago something happened, and what it was."""

_LEASE = 30.0
_TOO_MUCH = 120_000
"""Cents that no bank takes at once."""


class Episodes:
    """What happened once.

    Args:
        app: the shop.
        replay: runs its jobs.
        world: what surrounds it.
        customers: those who come.
    """

    def __init__(self, app: App, replay: Replay, world: World, customers: Customers) -> None:
        self._app = app
        self._replay = replay
        self._world = world
        self._customers = customers
        self._refused: Order | None = None

    def planned(self) -> Iterator[Episode]:
        """Yields all of them."""
        days, hours, minutes = _of("days"), _of("hours"), _of("minutes")
        yield days(13), self._add_schedules
        yield days(9), self._import_pictures
        yield days(6), self._stand_still
        yield days(5), self._order_too_much
        yield days(5) - hours(2), self._approve
        yield days(4), self._retry_stock
        yield days(3), self._lose_for_good
        yield days(2), self._pause_exports
        yield hours(20), self._cancel_some
        yield hours(3), self._order_and_give_up
        yield from ((hours(ago), self._charge_subscribers) for ago in range(30, 0, -1))
        yield minutes(40), self._remind_later
        yield minutes(4), self._order_and_pause
        yield minutes(2), self._lose_worker

    def _add_schedules(self) -> None:
        with self._app.acting_as("ada", door="http", role="operator"):
            self._app.schedules.add(
                "exports.monthly",
                task=export_orders,
                cron="0 5 1 * *",
                timezone="America/New_York",
                arguments={"customer": "all", "month": "last"},
            )
            self._app.schedules.add(
                "mail.monday",
                task=send_mail,
                cron="30 8 * * 1",
                timezone="Europe/Berlin",
                arguments={"to": "team@example.org", "subject": "The week"},
            )
            self._app.schedules.pause("mail.monday")

    def _import_pictures(self) -> None:
        """Import many pictures: a group with a callback."""
        with self._app.group("import-autumn", then=tell_pictures) as group:
            names = [f"autumn-{n:02d}.{'tiff' if n % 9 == 4 else 'jpg'}" for n in range(24)]
            resize.using(group=group).enqueue_many([(name, 2) for name in names])

    def _stand_still(self) -> None:
        """The workers are away for a while, and some offers are over when they are back."""
        for name in ("ines", "jun", "greta"):
            send_flash.enqueue(f"{name}@example.org", "a lamp for half the price")
        self._replay.stand_still(self._replay.clock.now() + timedelta(minutes=24))

    def _order_too_much(self) -> None:
        self._refused = self._customers.order(_TOO_MUCH)

    def _approve(self) -> None:
        """Have a step that failed run again, with what was missing."""
        if self._refused is None:
            return
        approved = {**self._refused.asked, "approved": True}
        with self._app.acting_as("ada", door="http", role="operator"):
            self._app.runs.replay(self._refused.run, "charge", approved)

    def _order_and_give_up(self) -> None:
        self._customers.order(_TOO_MUCH)

    def _retry_stock(self) -> None:
        with self._app.acting_as("ben", door="cli", role="admin"):
            for group in self._app.failures.groups(task="stock.sync"):
                self._app.failures.retry(group.fingerprint)

    def _lose_for_good(self) -> None:
        """A job takes its worker with it, again and again."""
        job = stitch.enqueue([f"hall-{n}.jpg" for n in range(6)])
        while not job.refresh().state.ended:
            self._claim_and_die("shop-2", job.id)
            self._app.tick()

    def _pause_exports(self) -> None:
        with self._app.acting_as("ben", door="http", role="operator"):
            self._app.queues.pause("exports")
        self._replay.closed_queues.add("exports")
        for name in ("ada", "ben", "chloe", "dmitri", "elif", "femi", "greta", "hugo"):
            export_orders.using(labels={"customer": name}).enqueue(name, "last")

    def _charge_subscribers(self) -> None:
        for _ in range(self._world.random.randint(1, 3)):
            self._customers.subscribe()

    def _cancel_some(self) -> None:
        export_orders.enqueue_many([("nobody", "last"), ("nobody", "this")])
        with self._app.acting_as("ada", door="http", role="operator"):
            self._app.jobs.cancel(task="exports.orders", args={"customer": "nobody"})

    def _remind_later(self) -> None:
        """Mail that is to be sent later."""
        for hours, name in ((5, "chloe"), (30, "femi"), (54, "hugo")):
            later = send_mail.using(delay=hours * 3600, labels={"customer": name})
            later.enqueue(f"{name}@example.org", "Your parcel is waiting")

    def _order_and_pause(self) -> None:
        """An order of which nothing further is to begin for now."""
        run = self._customers.order().run
        with self._app.acting_as("ada", door="http", role="operator"):
            self._app.runs.pause(run)

    def _lose_worker(self) -> None:
        """A worker dies, and nobody has noticed yet."""
        job = stitch.enqueue([f"yard-{n}.jpg" for n in range(4)])
        self._app.store.claim(ClaimFilter("shop-2", ids=[job.id]), 1, _LEASE)

    def _claim_and_die(self, worker: str, job_id: str) -> None:
        """What the store sees of a worker that is killed: a claim, and then nothing."""
        self._app.store.claim(ClaimFilter(worker, ids=[job_id]), 1, _LEASE)
        self._replay.clock.advance(_LEASE + 5)


def _of(unit: str) -> Callable[[int], timedelta]:
    """Returns what makes a length of time of a number."""
    return lambda number: timedelta(**{unit: number})
