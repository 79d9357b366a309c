"""A site of Django that is pushed to: one process of gunicorn, with one thread for requests."""

import base64
import json
import os
import socket

import contender
import django
import signing
import topics
from django.db import transaction

from rotulus.django import app_of
from rotulus.django.compat import task_backends
from rotulus.pubsub.messages import write_message

_PUSHES = "/tasks/pubsub/"


class Pushed(contender.Contender):
    """Each push has the token of Google and the id of a job that is stored.

    Args:
        path: where pushes go: to the view that runs jobs unless given.
    """

    def __init__(self, path=_PUSHES):
        os.environ["DJANGO_SETTINGS_MODULE"] = "django_pushed_settings"
        self._path = path

    def prepare(self):
        django.setup()
        django.core.management.call_command("migrate", verbosity=0)
        from pushed_shop.tasks import tasks  # noqa: PLC0415 - there are no settings before

        topics.make_topic(tasks[0], task_backends["default"].settings)

    def open(self):
        django.setup()

    def work(self):
        url, _ = signing.serve_key()
        os.environ["ROTULUS_OIDC_JWKS_URL"] = url
        listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        listener.set_inheritable(True)
        contender.PORT.write_text(str(listener.getsockname()[1]))
        how = (
            "--workers",
            "1",
            "--worker-class",
            "gthread",
            "--threads",
            "1",
            "--no-control-socket",
        )
        bind = ("--bind", f"fd://{listener.fileno()}")
        contender.become("gunicorn", *how, *bind, "django.core.wsgi:get_wsgi_application()")

    def pushes(self, count):
        from pushed_shop.tasks import note  # noqa: PLC0415

        with transaction.atomic():
            results = [note.enqueue(number) for number in range(count)]
        headers = {
            "Authorization": f"Bearer {signing.token()}",
            "Content-Type": "application/json",
        }
        return [(self._path, headers, self._body(result)) for result in results]

    def _body(self, result):
        message = write_message(app_of().get(result.id).record, "note")
        told = {
            "data": base64.b64encode(message.data).decode(),
            "attributes": message.attributes,
            "messageId": result.id,
            "publishTime": "2026-01-01T00:00:00Z",
        }
        name = "projects/bench/subscriptions/note"
        return json.dumps({"message": told, "subscription": name}).encode()


CONTENDER = Pushed()
