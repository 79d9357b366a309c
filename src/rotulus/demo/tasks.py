"""The tasks of the shop: mail, payments, pictures, reports, stock and exports."""

import logging

from rotulus import INJECTED, Job, JobOutcome, Retry, TaskRegistry, scheduled, task
from rotulus.demo.world import World

registry = TaskRegistry()

log = logging.getLogger("demo.shop")
log.addHandler(logging.NullHandler())
log.propagate = False  # its lines are kept with the jobs, and shown there
log.setLevel(logging.INFO)

ZONE = "Europe/Berlin"
"""Where the shop is: a zone whose clocks change."""


_SUNDAY = 6
"""A day on which nothing comes back."""


class AddressError(ValueError):
    """A mail has nowhere to go."""


class PaymentRefusedError(Exception):
    """A bank said no."""


class PictureError(ValueError):
    """A file is no picture that can be read."""


_CALMLY = Retry(attempts=4, delay=30, cap=600, jitter=False, not_on=AddressError)
_SOON = Retry(attempts=3, delay=15, jitter=False, not_on=PaymentRefusedError)


@task("mail.send", queue="mail", retry=_CALMLY, timeout=60, tags=["mail"], registry=registry)
def send_mail(to: str, subject: str, world: World = INJECTED) -> dict[str, object]:
    """Send one mail."""
    log.info("connecting to mail.example for %s", to)
    took = world.work(0.4)
    if to.endswith(".invalid"):
        raise AddressError(f"{to} has no mail server")
    if world.chance(0.03):
        log.warning("the server hung up after %.1f s", took)
        raise ConnectionResetError("mail.example closed the connection")
    log.info("%r was taken for %s", subject, to)
    return {"to": to, "seconds": took}


@task("mail.flash", queue="mail", expires=600, tags=["mail"], registry=registry)
def send_flash(to: str, offer: str, world: World = INJECTED) -> str:
    """Send an offer that is over soon: ten minutes late is too late."""
    world.work(0.3)
    return f"{offer} to {to}"


@task(
    "payments.charge",
    queue="payments",
    priority=10,
    retry=_SOON,
    limit=4,
    limit_key="bank:{bank}",
    tags=["money"],
    registry=registry,
)
def charge(order: int, amount: int, bank: str, world: World = INJECTED) -> dict[str, object]:
    """Have a bank charge an amount in cents. A bank takes four calls at a time."""
    log.info("charging %.2f EUR for order %d at %s", amount / 100, order, bank)
    if not world.bank_answers(bank):
        world.work(5.0)
        log.error("%s has not answered order %d", bank, order)
        raise TimeoutError(f"{bank} did not answer within 5 s")
    took = world.work(0.9)
    if amount > 90_000:
        raise PaymentRefusedError(f"{bank} refuses {amount / 100:.2f} EUR: over the limit")
    return {"charged": amount, "receipt": f"R{order:06d}", "seconds": took}


@task("payments.refund", queue="payments", priority=5, retry=_SOON, registry=registry)
def refund(order: int, amount: int, bank: str, world: World = INJECTED) -> str:
    """Pay an amount in cents back."""
    world.work(1.1)
    log.info("%s pays %.2f EUR back for order %d", bank, amount / 100, order)
    return f"B{order:06d}"


@task("pictures.resize", queue="pictures", timeout=300, tags=["media"], registry=registry)
def resize(
    picture: str, widths: int = 4, world: World = INJECTED, job: Job = INJECTED
) -> list[str]:
    """Make smaller copies of a picture."""
    made: list[str] = []
    for number in range(widths):
        width = 320 * (number + 1)
        job.progress(number, widths, f"{width} px")
        world.work(0.5)
        if picture.endswith(".tiff") and number == 1:
            raise PictureError(f"{picture} has 5 channels: expected 3 or 4")
        made.append(f"{picture.partition('.')[0]}-{width}.webp")
    log.info("%s: %d copies", picture, len(made))
    return made


@task("pictures.stitch", queue="pictures", tags=["media"], registry=registry)
def stitch(pictures: list[str], world: World = INJECTED) -> str:
    """Make a panorama: it needs more memory than the smallest machine has."""
    world.work(20.0)
    return f"{pictures[0]}-panorama.webp"


@task("pictures.tell", queue="pictures", tags=["media"], registry=registry)
def tell_pictures(outcomes: list[JobOutcome]) -> str:
    """Say how an import of pictures went."""
    failed = [one.arguments.get("picture") for one in outcomes if one.state != "succeeded"]
    log.info("%d pictures, of which %d failed", len(outcomes), len(failed))
    return f"{len(outcomes)} pictures, not read: {', '.join(map(str, failed)) or 'none'}"


@task("exports.orders", queue="exports", tags=["books"], registry=registry)
def export_orders(customer: str, month: str, world: World = INJECTED) -> str:
    """Write the orders of a customer for the books."""
    world.work(2.5)
    return f"{customer}-{month}.csv"


@scheduled(
    "15 6 * * *", "reports.daily", timezone=ZONE, queue="reports", tags=["books"], registry=registry
)
def report_day(world: World = INJECTED, job: Job = INJECTED) -> dict[str, float]:
    """Report what was sold the day before."""
    sold = [world.random.randint(900, 9_000) for _ in range(world.random.randint(20, 60))]
    for page in range(5):
        job.progress(page, 5, f"page {page + 1}")
        world.work(4.0)
    returned = 0 if world.now().weekday() == _SUNDAY else world.random.randint(1, 7)
    log.info("%d orders, %d of them returned", len(sold), returned)
    return {"sold": sum(sold) / 100, "mean": sum(sold) / len(sold), "per_return": 100 / returned}


@scheduled("7 6-20/2 * * *", "stock.sync", overlap="skip", queue="stock", registry=registry)
def sync_stock(world: World = INJECTED) -> int:
    """Ask the warehouse what is there."""
    world.work(3.0)
    if world.chance(0.06):
        raise ConnectionRefusedError("warehouse.example:8443 refused the connection")
    return world.random.randint(1_200, 1_900)


@scheduled("30 2 * * 7L", "stock.count", timezone=ZONE, queue="stock", registry=registry)
def count_stock(world: World = INJECTED) -> int:
    """Count all that is there, in the night of the last Sunday of a month."""
    world.work(240.0)
    return world.random.randint(18_000, 22_000)
