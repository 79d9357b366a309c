"""The customers of the shop: what they order, send and ask for, by chance."""

from typing import Any, NamedTuple

from rotulus import App
from rotulus.demo.tasks import charge, refund, resize, send_mail
from rotulus.demo.workflows import FULFIL
from rotulus.demo.world import World

_NAMES = ("ada", "ben", "chloe", "dmitri", "elif", "femi", "greta", "hugo", "ines", "jun")
_BANKS = ("Nordbank", "Nordbank", "Postbank", "Westbank")
_THINGS = ("ink", "quill", "paper", "seal wax", "ruler", "lamp", "blotter", "knife")


class Order(NamedTuple):
    """An order.

    Attributes:
        run: the id of its run.
        asked: what its workflow was given.
    """

    run: str
    asked: dict[str, Any]


class Customers:
    """People who come to the shop one after the other.

    Args:
        app: the shop.
        world: where they come from.
    """

    def __init__(self, app: App, world: World) -> None:
        self._app = app
        self._world = world
        self._orders = 20_400

    def come(self) -> None:
        """One of them comes, and does something."""
        kind = self._world.random.random()
        if kind < 0.34:
            self.order()
        elif kind < 0.62:
            self._write("Your question")
        elif kind < 0.80:
            self._pay()
        elif kind < 0.94:
            self._send_picture()
        else:
            self._return()

    def pause(self, mean: float) -> float:
        """Returns how many seconds pass until the next one comes, about so many."""
        return min(5 * mean, self._world.random.expovariate(1 / mean))

    def order(self, amount: int | None = None) -> Order:
        """One of them orders something, for so many cents."""
        random, customer = self._world.random, self._customer()
        cents = random.randint(700, 24_000) if amount is None else amount
        things = random.sample(_THINGS, random.choice([1, 1, 2, 2, 3, 5]))
        shop = self._app.using(labels={"customer": customer})
        asked: dict[str, Any] = {
            "order": self._number(),
            "amount": cents,
            "bank": random.choice(_BANKS),
        }
        asked["things"] = things
        return Order(shop.enqueue(FULFIL, **asked).id, asked)

    def subscribe(self) -> None:
        """One of them pays for a month of the magazine."""
        labels = {"customer": self._customer(), "kind": "subscription"}
        charge.using(labels=labels).enqueue(self._number(), 1_290, "Westbank")

    def _write(self, subject: str) -> None:
        customer = self._customer()
        place = "nowhere.invalid" if self._world.chance(0.03) else "example.org"
        labels = {"customer": customer}
        send_mail.using(labels=labels).enqueue(f"{customer}@{place}", subject)

    def _pay(self) -> None:
        random = self._world.random
        cents = random.randint(500, 12_000)
        labelled = charge.using(labels={"customer": self._customer()})
        labelled.enqueue(self._number(), cents, random.choice(_BANKS))

    def _send_picture(self) -> None:
        random = self._world.random
        ending = "tiff" if self._world.chance(0.08) else "jpg"
        labels = {"customer": self._customer(), "kind": "upload"}
        resize.using(labels=labels).enqueue(f"upload-{random.randint(100, 999)}.{ending}")

    def _return(self) -> None:
        random = self._world.random
        labelled = refund.using(labels={"customer": self._customer()})
        labelled.enqueue(self._number(), random.randint(500, 9_000), random.choice(_BANKS))

    def _customer(self) -> str:
        return self._world.random.choice(_NAMES)

    def _number(self) -> int:
        self._orders += 1
        return self._orders
