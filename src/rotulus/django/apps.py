"""The Django application: `INSTALLED_APPS = [..., "rotulus.django"]`."""

from django.apps import AppConfig

from rotulus.django.old_connections import care_for_connections
from rotulus.django.settings import read_django_settings


class RotulusConfig(AppConfig):
    """The jobs of Rotulus in Django: its tables, its migrations and its commands."""

    name = "rotulus.django"
    label = "rotulus"
    verbose_name = "Rotulus"

    def ready(self) -> None:
        """Look settings of Pub/Sub up in Django's, and let threads close their connections."""
        read_django_settings()
        care_for_connections()
