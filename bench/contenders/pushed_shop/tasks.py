"""The job as one of Django's tasks that has a route."""

from rotulus.django import TaskRoute
from rotulus.django.compat import task


@task
def note(number: int) -> int:
    """The job."""
    return number


tasks = [TaskRoute(note)]
