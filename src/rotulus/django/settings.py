"""Django's settings as a source of those of Pub/Sub, before environment variables."""

from collections.abc import Iterator, MutableMapping

from django.conf import settings

from rotulus.pubsub.settings import VARIABLES, add_source


class DjangoSettings(MutableMapping[str, str]):
    """The settings of the Pub/Sub door in Django's settings, by the names of the variables.

    A missing one, None or an empty text is left to the environment. The mapping is read only.
    """

    def __getitem__(self, name: str) -> str:
        value = getattr(settings, name, None)
        if value is None or value == "":
            raise KeyError(name)
        return str(value)

    def __iter__(self) -> Iterator[str]:
        return (one.name for one in VARIABLES.values() if one.name in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __setitem__(self, name: str, value: str) -> None:
        raise TypeError(f"{name} is a setting of Django: set it in the module of settings")

    def __delitem__(self, name: str) -> None:
        raise TypeError(f"{name} is a setting of Django: delete it in the module of settings")


_SOURCE = DjangoSettings()


def read_django_settings() -> None:
    """From now on look settings of Pub/Sub up in Django's, too. A second call changes nothing."""
    add_source(_SOURCE)
