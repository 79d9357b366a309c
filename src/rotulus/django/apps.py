"""The Django application: `INSTALLED_APPS = [..., "rotulus.django"]`."""

from django.apps import AppConfig

from rotulus.django.settings import read_django_settings


class RotulusConfig(AppConfig):
    """The jobs of Rotulus in Django: its tables, its migrations and its commands."""

    name = "rotulus.django"
    label = "rotulus"
    verbose_name = "Rotulus"

    def ready(self) -> None:
        """Have the settings of Pub/Sub looked up in Django's, too."""
        read_django_settings()
