"""The workflows of the shop: an order from its payment to the parcel, and the nightly catalogue."""

import logging
from typing import Any

import rotulus.workflow as wf
from rotulus.demo.tasks import ZONE, PaymentRefusedError, registry, resize
from rotulus.demo.world import World

log = logging.getLogger("demo.shop.orders")

Context = wf.Context

FULFIL = "orders.fulfil"
"""The workflow of an order."""


with wf.WorkflowBuilder(FULFIL, registry=registry) as _orders:
    _orders.description("From the order to the parcel").tag("team", "orders")

    @wf.task(id="reserve")
    def reserve(context: Context, world: World) -> None:
        """Keep the things that were ordered."""
        world.work(0.6)
        context.set("shelf", f"{world.random.choice('ABCDEF')}{world.random.randint(1, 40)}")

    @wf.task(
        id="charge",
        dependencies=["reserve"],
        retry_attempts=2,
        retry_delay_ms=20_000,
        retry_jitter=False,
    )
    def charge_order(context: Context, world: World) -> None:
        """Have the bank charge the order."""
        bank = str(context["bank"])
        if not world.bank_answers(bank):
            world.work(5.0)
            raise TimeoutError(f"{bank} did not answer within 5 s")
        world.work(0.9)
        if context["amount"] > 90_000 and not context.get("approved"):
            raise PaymentRefusedError(f"{bank} refuses {context['amount'] / 100:.2f} EUR")
        context.set("receipt", f"R{context['order']:06d}")

    @wf.task(id="pack", dependencies=["charge"], for_each="things")
    def pack(context: Context, world: World) -> str:
        """Pack one of the things."""
        world.work(4.0)
        return f"{context['item']}, packed"

    @wf.task(id="ship", dependencies=["pack"])
    def ship(context: Context, world: World) -> None:
        """Hand the parcel to the post."""
        world.work(1.5)
        context.set("parcel", f"P{context['order']:08d}")
        log.info("order %s is on its way", context["order"])

    @wf.task(id="thank", dependencies=["ship"])
    def thank(_context: Context, world: World) -> None:
        """Thank the customer."""
        world.work(0.4)


with wf.WorkflowBuilder("catalogue.publish", registry=registry) as _catalogue:
    _catalogue.description("The catalogue, as it is in the morning").tag("team", "media")
    _catalogue.schedule("45 1 * * *", ZONE)

    @wf.task(id="collect")
    def collect(context: Context, world: World) -> None:
        """Collect what has a new picture."""
        world.work(5.0)
        numbers = range(world.random.randint(4, 9))
        context.set("pictures", [f"thing-{n + 1:03d}.jpg" for n in numbers])

    _catalogue.add_task(resize, id="resize", dependencies=["collect"], for_each="pictures")

    @wf.task(id="prices", dependencies=["collect"])
    def price(context: Context, world: World) -> None:
        """Work the prices out."""
        world.work(12.0)
        context.set("priced", len(context["pictures"]))

    @wf.task(id="index", dependencies=["resize", "prices"])
    def index(_context: Context, world: World) -> None:
        """Let the search find all of it."""
        world.work(8.0)

    @wf.task(id="announce", dependencies=["index"])
    def announce(context: Context, world: World) -> dict[str, Any]:
        """Tell the people of the shop."""
        world.work(0.5)
        return {"announced": context["priced"]}
