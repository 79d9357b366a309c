"""Pub/Sub and Cloud Scheduler in this process, for Google's own clients."""

import threading
from datetime import datetime
from typing import Self

from rotulus._time.clock import Clock, SystemClock
from rotulus.pubsub.fake.broker import Broker
from rotulus.pubsub.fake.faults import Faults
from rotulus.pubsub.fake.pushing import Pusher, answered
from rotulus.pubsub.fake.scheduler_service import SchedulerService
from rotulus.pubsub.fake.serving import GrpcServer
from rotulus.pubsub.fake.signing import Signer
from rotulus.pubsub.fake.subscription_service import SubscriptionService
from rotulus.pubsub.fake.topic_service import TopicService

_LOOKS = 1.0
"""The longest sleep of the fake in seconds, because a clock may be set."""


class FakeGoogle:
    """Pub/Sub and Cloud Scheduler, on loopback ports and in memory.

    Google's clients reach it by the variables of `environment`. It pushes with tokens that it
    signs, waits for deadlines, backs off, and hands messages on to dead-letter topics.

    Args:
        clock: the clock of deadlines and schedules. With a clock of yours nothing happens by
            itself: `tick` does all work that is due. Unless given, a thread does the work all the
            time.
        faults: the faults to make; none unless given.
    """

    def __init__(self, clock: Clock | None = None, faults: Faults | None = None) -> None:
        self.clock: Clock = clock or SystemClock()
        self.faults = faults or Faults()
        self.broker = Broker(self.clock)
        self.signer = Signer(self.clock)
        self._pusher = Pusher(self.broker, self.signer, self.faults)
        self.scheduler = SchedulerService(self.broker, self.signer)
        self._server = GrpcServer(
            {
                "google.pubsub.v1.Publisher": TopicService(self.broker, self.faults).methods,
                "google.pubsub.v1.Subscriber": SubscriptionService(self.broker).methods,
                "google.cloud.scheduler.v1.CloudScheduler": self.scheduler.methods,
            }
        )
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None
        if clock is None:
            self._thread = threading.Thread(target=self._run, name="fake-google", daemon=True)

    @property
    def host(self) -> str:
        """The address of its services, as `host:port`."""
        return f"127.0.0.1:{self._server.port}"

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables that lead a program to it."""
        return {
            "PUBSUB_EMULATOR_HOST": self.host,
            "CLOUD_SCHEDULER_EMULATOR_HOST": self.host,
            "ROTULUS_OIDC_JWKS_URL": self.signer.url,
        }

    def start(self) -> None:
        """Answer, and push, from now on."""
        self.signer.serve()
        self._server.start()
        if self._thread is not None:
            self._thread.start()

    def close(self) -> None:
        """Stop, and forget everything."""
        self._closed.set()
        with self.broker.published:
            self.broker.published.notify_all()
        self._pusher.close()
        self.scheduler.close()
        self._server.close()
        self.signer.close()
        if self._thread is not None:
            self._thread.join(10)

    def tick(self, wait: float = 10.0) -> int:
        """Fire the jobs that are due, and push the messages that are due.

        Args:
            wait: seconds to wait for the answers.

        Returns:
            How many pushes were sent.
        """
        answered(self.scheduler.fire(), wait)
        sent = self._pusher.push()
        answered(sent, wait)
        return len(sent)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self) -> None:
        while not self._closed.is_set():
            self.scheduler.fire()
            self._pusher.push()
            with self.broker.published:
                if not self._closed.is_set():
                    self.broker.published.wait(self._patience())

    def _patience(self) -> float:
        """Returns the seconds until something is due."""
        due = self.broker.next_due()
        instant = self.scheduler.next_due()
        pushes = _LOOKS if due is None else due - self.clock.monotonic()
        jobs = _LOOKS if instant is None else _seconds(instant, self.clock.now())
        return max(0.0, min(_LOOKS, pushes, jobs))


def _seconds(instant: datetime, now: datetime) -> float:
    return (instant - now).total_seconds()
