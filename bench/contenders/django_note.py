"""The job as one of Django's tasks, which are found by the names of their modules."""

import contender
from django_tasks import task


@task
def note(number):
    """The job."""
    contender.mark(number)
    return number
