"""The Django application: `INSTALLED_APPS = [..., "rotulus.django"]`."""

from django.apps import AppConfig


class RotulusConfig(AppConfig):
    """The jobs of Rotulus in Django: its tables, its migrations and its commands."""

    name = "rotulus.django"
    label = "rotulus"
    verbose_name = "Rotulus"
