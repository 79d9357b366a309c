"""`app.tokens`: who may use a service, with what role and for how long."""

import asyncio
import re
import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest

from rotulus import App
from rotulus.errors import AccessTokenConflictError, AccessTokenNotFoundError, OptionError


def test_a_secret_is_told_once_and_found(app):
    """It is nowhere else: not in the list, and not in the audit."""
    with app.acting_as("ada"):
        added = app.tokens.add("ci", "operator", expires=timedelta(days=90))
    secret = added.secret
    [token] = app.tokens.list()

    assert re.fullmatch(r"rot_[A-Za-z0-9_-]{43}", secret)
    assert secret not in repr(added)
    assert {**token.to_dict(), "secret": secret} == added.to_dict()
    assert token == app.tokens.get("ci")
    assert ("ci", "operator", None, False) == (
        *(token.name, token.role, token.last_used_at, token.expired),
    )
    assert timedelta(days=90) == token.expires_at - token.created_at
    assert "ci" == app.tokens.find(secret).name
    assert None is not app.tokens.list()[0].last_used_at
    assert secret not in f"{app.tokens.list()} {app.audit.find()}"
    assert {"role": "operator", "last_used_at": None}.items() <= token.to_dict().items()


def test_no_two_secrets_are_the_same(app):
    """Each has 256 random bits."""
    assert 20 == len({app.tokens.add(f"t{number}", "viewer").secret for number in range(20)})


def test_a_file_does_not_hold_the_secret(registry, tmp_path):
    """Who reads the store cannot come in."""
    with closing(App(f"sqlite:///{tmp_path / 'jobs.db'}", registry=registry)) as app:
        secret = app.tokens.add("ci", "admin").secret
    with closing(sqlite3.connect(tmp_path / "jobs.db")) as connection:
        text = "\n".join(connection.iterdump())

    assert "ci" in text
    assert secret.removeprefix("rot_") not in text


@pytest.mark.parametrize("wrong", ["", "rot_", "rot_x", "ci", "rot_" + "x" * 10_000, "rot_\xe9"])
def test_what_is_no_secret_finds_nothing(app, wrong):
    """Whatever is sent."""
    app.tokens.add("ci", "viewer")

    assert None is app.tokens.find(wrong)


def test_a_token_that_has_expired_or_was_removed_finds_nothing(still_app, clock):
    """One that has expired is still listed."""
    short = still_app.tokens.add("short", "viewer", expires=60).secret
    until = clock.now() + timedelta(seconds=90)
    until = still_app.tokens.add("until", "viewer", expires=until).secret
    good = still_app.tokens.add("good", "viewer").secret
    clock.advance(61)
    assert [None, "until"] == [(t := still_app.tokens.find(s)) and t.name for s in (short, until)]
    clock.advance(60)
    assert None is still_app.tokens.find(until)
    assert [("good", False), ("short", True), ("until", True)] == [
        (token.name, token.expired) for token in still_app.tokens.list()
    ]

    still_app.tokens.remove("good", "short")
    assert None is still_app.tokens.find(good)
    assert ["until"] == [token.name for token in still_app.tokens.list()]


def test_of_tokens_of_which_one_is_not_there_none_is_removed(app):
    """The error has the nearest name."""
    app.tokens.add("deploy", "viewer")
    with pytest.raises(AccessTokenNotFoundError, match="did you mean 'deploy'"):
        app.tokens.remove("deploy", "deplyo")
    with pytest.raises(OptionError, match="which tokens"):
        app.tokens.remove()
    with pytest.raises(AccessTokenNotFoundError, match="did you mean 'deploy'"):
        app.tokens.get("deplyo")

    assert 1 == len(app.tokens.list())


def test_a_name_that_is_taken_is_refused(app):
    """The first token stays as it is."""
    secret = app.tokens.add("ci", "viewer").secret
    with pytest.raises(AccessTokenConflictError, match="There is a token 'ci' already"):
        app.tokens.add("ci", "admin")

    assert "viewer" == app.tokens.find(secret).role


@pytest.mark.parametrize(
    "wrong",
    [
        *({"name": ""}, {"name": "a\n"}, {"name": "a" * 201}, {"name": "local"}),
        *({"name": "settings"}, {"name": 7}, {"role": "king"}, {"role": ""}),
        *({"name": "a/b"}, {"name": ".."}),
        *({"expires": 0}, {"expires": -1}, {"expires": "90d"}, {"expires": 10**12}),
        {"expires": timedelta(0)},
    ],
)
def test_what_is_not_allowed_is_refused(app, wrong):
    """And no token is added."""
    with pytest.raises(OptionError):
        app.tokens.add(**{"name": "ci", "role": "viewer"} | wrong)

    assert [] == app.tokens.list()


def test_coroutines_do_the_same(app):
    """With an `a` in front."""

    async def go():
        secret = (await app.tokens.aadd("ci", "viewer", expires=60)).secret
        found = await app.tokens.afind(secret)
        known = [await app.tokens.aget("ci")]
        assert known[0].name == (await app.tokens.alist())[0].name
        await app.tokens.aremove("ci")
        return found.name, [token.name for token in known], await app.tokens.alist()

    assert ("ci", ["ci"], []) == asyncio.run(go())
