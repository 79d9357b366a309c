"""Django's tasks with the worker of django-tasks-db on PostgreSQL, which sleeps 10 ms when idle."""

import os

import contender
import django

os.environ["DJANGO_SETTINGS_MODULE"] = "django_settings"


class DjangoTasks(contender.Contender):
    """Rows and results are kept."""

    def prepare(self):
        django.setup()
        django.core.management.call_command("migrate", verbosity=0)

    def open(self):
        django.setup()
        from django_note import note  # noqa: PLC0415 - there are no settings before
        from django_tasks_db.models import DBTaskResult  # noqa: PLC0415

        self._note = note
        self._left = DBTaskResult.objects.filter(status__in=("READY", "RUNNING"))

    def enqueue(self, number):
        self._note.enqueue(number)

    def work(self):
        when = ("--interval", "0.01", "--no-startup-delay")
        contender.become("django-admin", "db_worker", *when, "--verbosity", "0")

    def left(self):
        return self._left.exists()


CONTENDER = DjangoTasks()
