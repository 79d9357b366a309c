"""Where a database of Django's settings is, for those who open it without Django."""

import pytest
from django.db import connections

from django_project import database
from rotulus.django.connections import url_of
from rotulus.errors import ConfigurationError

POSTGRES = {"ENGINE": "django.db.backends.postgresql", "NAME": "shop"}
SQLITE = {"ENGINE": "django.db.backends.sqlite3"}


@pytest.mark.parametrize(
    ("given", "url"),
    [
        (POSTGRES, "postgresql:///shop"),
        (
            POSTGRES | {"USER": "ann", "PASSWORD": "p@ss/:", "HOST": "db", "PORT": "5433"},
            "postgresql://ann:p%40ss%2F%3A@db:5433/shop",
        ),
        (POSTGRES | {"HOST": "::1", "PORT": 5432}, "postgresql://[::1]:5432/shop"),
        (
            POSTGRES | {"USER": "ann", "HOST": "/run/postgresql"},
            "postgresql://ann@/shop?host=%2Frun%2Fpostgresql",
        ),
        (
            POSTGRES
            | {"OPTIONS": {"sslmode": "require", "pool": True, "isolation_level": 2}}
            | {"HOST": "db"},
            "postgresql://db/shop?sslmode=require",
        ),
        (
            POSTGRES
            | {"OPTIONS": {"assume_role": "app", "options": "-c search_path=jobs"}}
            | {"HOST": "db"},
            "postgresql://db/shop?options=-c%20search_path%3Djobs%20-c%20role%3Dapp",
        ),
        (SQLITE | {"NAME": "/var/lib/shop.db"}, "sqlite:////var/lib/shop.db"),
    ],
)
def test_settings_have_a_url(given, url):
    """Names and passwords are escaped; options of Django's own are left out."""
    with database("somewhere", given):
        assert url == url_of(connections["somewhere"])


@pytest.mark.parametrize(
    "given",
    [
        SQLITE | {"NAME": ":memory:"},
        SQLITE | {"NAME": "file:shop?mode=memory&cache=shared", "OPTIONS": {"uri": True}},
        {"ENGINE": "django.db.backends.dummy"},
    ],
)
def test_what_no_other_process_can_open_is_refused(given):
    """Databases in memory, and those that are neither SQLite nor PostgreSQL."""
    with (
        database("somewhere", given),
        pytest.raises(ConfigurationError, match="'somewhere'"),
    ):
        url_of(connections["somewhere"])
