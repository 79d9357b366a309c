"""The job as one of Django's tasks, whichever backend has it."""

import contender

try:
    from django.tasks import task
except ImportError:  # before Django 6
    from django_tasks import task


@task
def note(number):
    """The job."""
    contender.mark(number)
    return number
