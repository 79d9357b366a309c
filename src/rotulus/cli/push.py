"""Pushes of Pub/Sub on this machine: a fake of Google, and a service that answers its pushes."""

import os
import socket
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from rotulus import App, State, pubsub, service
from rotulus.cli.target import carrier_of
from rotulus.errors import ConfigurationError
from rotulus.pubsub.http import PUSH_PATH, TICK_PATH
from rotulus.pubsub.settings import GOOGLE_KEYS, PubSubSettings

if TYPE_CHECKING:
    from fastapi import FastAPI

_HERE = {
    "GCP_PROJECT_ID": "rotulus-dev",
    "TASKS_SERVICE_ACCOUNT": "pubsub-invoker@rotulus-dev.iam.gserviceaccount.com",
}
"""The default settings: nothing of them leaves this machine."""

_AGAIN = 500
"""So many jobs that wait are published again to an emulator that may have been started anew."""


@contextmanager
def emulated(port: int) -> Generator[int, None, None]:
    """Emulate Google for the length of a block, as the environment says it to child processes.

    The emulator of `PUBSUB_EMULATOR_HOST` is used, or else a fake in this process.

    Args:
        port: where pushes go on this machine; 0 for any that is free.

    Yields:
        The port.
    """
    port = port or _free_port()
    os.environ["CLOUD_RUN_SERVICE_URL"] = f"http://127.0.0.1:{port}"  # never to another machine
    for name, value in _HERE.items():
        os.environ.setdefault(name, value)
    if os.environ.get("PUBSUB_EMULATOR_HOST"):
        yield port
        return
    with pubsub.FakeGoogle() as google:
        os.environ.update(google.environment)
        variables = " ".join(f"{name}={value}" for name, value in google.environment.items())
        click.echo(f"Google Pub/Sub and Cloud Scheduler are emulated here: {variables}", err=True)
        yield port


def take_pushes(app: App, application: "FastAPI") -> None:
    """Let the service of an app answer the pushes for its routes.

    If Pub/Sub is emulated, the resources of the routes are made first, and waiting jobs are
    published again.

    Raises:
        ConfigurationError: the app has no routes, a setting is missing, or an emulator refuses.
    """
    carrier = carrier_of(app)
    settings = carrier.settings
    verifier = pubsub.LocalVerifier() if _has_no_tokens(settings) else None
    handler = pubsub.PushHandler(app, carrier.routes, settings=settings, verifier=verifier)
    application.include_router(pubsub.make_push_router(handler))
    service.leave_open(application, PUSH_PATH, TICK_PATH)
    if settings.pubsub_emulator:
        problems = pubsub.apply(pubsub.plan(carrier.routes, settings)).problems
        if problems:
            raise ConfigurationError(f"{problems[0].name}: {problems[0].text}")
        waiting = app.jobs(queue=carrier.queue, state=[State.QUEUED, State.DELAYED], limit=_AGAIN)
        app.store.outbox.republish([job.id for job in waiting])
        app.tick()


def _has_no_tokens(settings: PubSubSettings) -> bool:
    """Returns whether pushes come from Google's own emulator, which signs nothing."""
    return bool(settings.pubsub_emulator) and settings.keys_url == GOOGLE_KEYS


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
