"""Opens the shop: an app with its tasks and workflows on a store."""

from datetime import timedelta

from rotulus import App
from rotulus.demo.tasks import registry
from rotulus.demo.world import World
from rotulus.testing import SettableClock

_KEEP = timedelta(days=60)

VERSION = "2026.11.4"
"""The version of the shop that its workers tell."""


def open_shop(url: str, world: World, clock: SettableClock | None = None) -> App:
    """Returns the shop as an app, which is to be closed.

    Args:
        url: where its jobs live.
        world: what surrounds it.
        clock: the clock, if it is not that of the machine.
    """
    app = App(url, registry=registry, keep=_KEEP, keep_failed=_KEEP, version=VERSION, clock=clock)
    app.provide(World, lambda: world)
    return app
