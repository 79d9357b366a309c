"""The common base of the Django sites that are measured."""

from urllib.parse import urlsplit

import contender

SECRET_KEY = "bench"  # nothing is signed with it


def databases(url=contender.STORE):
    """The databases of settings: the one of a URL, with one connection that stays open."""
    if url.startswith("sqlite:///"):
        return {"default": _sqlite(url.removeprefix("sqlite:///"))}
    place = urlsplit(url)
    found = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": place.path.lstrip("/"),
        "USER": place.username,
        "HOST": place.hostname,
        "PORT": place.port,
        "CONN_MAX_AGE": None,
    }
    return {"default": found}


def _sqlite(path):
    """A file, as it is advised for more than one writer; each commit is on the disk."""
    begin = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
    options = {"transaction_mode": "IMMEDIATE", "timeout": 30, "init_command": begin}
    engine = "django.db.backends.sqlite3"
    return {"ENGINE": engine, "NAME": path, "CONN_MAX_AGE": None, "OPTIONS": options}
