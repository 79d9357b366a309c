"""Django's tasks with the backend and the worker of Rotulus, as they come."""

import in_django


class Ours(in_django.InDjango):
    """Our backend, and our worker."""

    def left(self):
        from rotulus.django import app_of  # noqa: PLC0415 - needs settings

        return app_of().jobs(state=("queued", "running"), limit=1)


CONTENDER = Ours("django_our_settings", ("rotulus_worker",))
