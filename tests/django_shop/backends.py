"""Backends of Django's tasks for the length of a block."""

from contextlib import contextmanager, suppress

from rotulus.django.compat import task_backends


@contextmanager
def pubsub_backend(alias, **options):
    """Have a `PubSubBackend` in `settings.TASKS`."""
    task_backends.settings[alias] = {
        "BACKEND": "rotulus.django.PubSubBackend",
        "OPTIONS": {"database": "jobs"} | options,
    }
    try:
        yield
    finally:
        del task_backends.settings[alias]
        with suppress(AttributeError):
            del task_backends[alias]
