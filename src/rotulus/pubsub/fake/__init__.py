"""Pub/Sub and Cloud Scheduler in this process, for tests and laptops: no Google is needed."""

from rotulus.pubsub.fake.faults import Faults
from rotulus.pubsub.fake.google import FakeGoogle

__all__ = ["FakeGoogle", "Faults"]
