"""Django's tasks with the worker of django-tasks-db, which sleeps 10 ms when idle."""

import in_django


class TasksDb(in_django.InDjango):
    """Its backend, and its worker."""

    def left(self):
        from django_tasks_db.models import DBTaskResult  # noqa: PLC0415 - needs settings

        return DBTaskResult.objects.filter(status__in=("READY", "RUNNING")).exists()


CONTENDER = TasksDb(
    "django_peer_settings", ("db_worker", "--interval", "0.01", "--no-startup-delay")
)
