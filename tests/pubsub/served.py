"""An app with routes, and what answers their pushes."""

import asyncio
import threading

from pubsub.pushing import Carrier
from rotulus import App, task
from rotulus.pubsub import LocalVerifier, PushHandler, TaskRoute


class Service:
    """Two tasks with routes, on a store with tables; what was run is in `ran`."""

    def __init__(self, url, registry, settings, verifier=None, **options):
        self.ran, self.hold, self.entered = [], None, threading.Event()
        self.fails = 0

        @task(name="numbers.add", registry=registry)
        def add(left: int = 1, right: int = 1) -> int:
            self.ran.append((left, right))
            self.entered.set()
            if self.hold is not None:
                self.hold.wait(60)
            if len(self.ran) <= self.fails:
                raise OSError("the disk is on fire")
            return left + right

        @task(name="numbers.later", registry=registry)
        async def later(left: int) -> int:
            await asyncio.sleep(0)
            self.ran.append(left)
            return left

        self.add, self.later = add, later
        self.routes = [TaskRoute(add, max_delivery_attempts=5), TaskRoute(later)]
        self.app = App(url, registry=registry, **options)
        self.carrier = Carrier(self.routes)
        self.app.carry(self.carrier)
        self.handler = PushHandler(
            self.app, self.routes, verifier=verifier or LocalVerifier(), settings=settings
        )

    def answer(self, request):
        """The status and the text."""
        answer = self.handler.handle(request)
        return answer.status, answer.text

    def job(self, number=-1):
        """How a job stands whose message was published."""
        return self.app.jobs.get(self.carrier.published[number].id)
