"""Django's tasks, in the transactions of its own database."""

import os

import contender
import django


class InDjango(contender.Contender):
    """Rows and results are kept.

    Args:
        settings: the module of the settings.
        worker: the words of the command that works.
    """

    def __init__(self, settings, worker):
        os.environ["DJANGO_SETTINGS_MODULE"] = settings
        self._worker = worker

    def prepare(self):
        django.setup()
        django.core.management.call_command("migrate", verbosity=0)

    def open(self):
        django.setup()
        from shop.tasks import note  # noqa: PLC0415 - there are no settings before

        self._note = note

    def enqueue(self, number):
        self._note.enqueue(number)

    def enqueue_many(self, numbers):
        """Enqueue each in one transaction, as Django has it: its tasks have no batches."""
        from django.db import transaction  # noqa: PLC0415

        with transaction.atomic():
            for number in numbers:
                self._note.enqueue(number)

    def work(self):
        contender.become("django-admin", *self._worker, "--verbosity", "0")
