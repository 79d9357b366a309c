"""The keys of tokens: fetched seldom, kept while their server is away, and never made up."""

import json
import threading

import pytest

from pubsub.signing import KeyServer, Signer
from rotulus.errors import TokenError
from rotulus.pubsub.keys import FetchedKeys, KeySet, read_keys


@pytest.fixture
def keys(key_server, still_clock):
    """The key set of the server, on a clock that stands still."""
    return KeySet(key_server.url, clock=still_clock)


def document(*signers):
    """A key set as JSON."""
    return json.dumps({"keys": [signer.jwk() for signer in signers]}).encode()


def test_keys_are_fetched_when_the_first_is_asked_for(keys, key_server):
    """And not before."""
    assert 0 == key_server.asked
    assert not keys.has("current")

    keys.get("current")
    assert keys.has("current")
    assert 1 == key_server.asked


@pytest.mark.parametrize(
    ("cache_control", "seconds"),
    [
        ("public, max-age=19800, must-revalidate", 19_800),
        ("max-age=1", 300),
        ("no-store", 300),
        ("", 300),
        ("s-max-age=99999", 300),
        ("max-age=999999999", 86_400),
        ("max-age=99999999999999999999", 300),
    ],
)
def test_keys_are_kept_as_long_as_their_server_says(
    keys, key_server, still_clock, cache_control, seconds
):
    """Five minutes at least, and a day at most."""
    key_server.cache_control = cache_control
    keys.get("current")

    still_clock.advance(seconds - 1)
    keys.get("current")
    assert 1 == key_server.asked
    still_clock.advance(1)
    keys.get("current")
    assert 2 == key_server.asked


def test_a_new_key_is_found_at_once(keys, key_server, still_clock, other_signer):
    """A minute after the last look, though the set is fresh; then the old one is gone."""
    keys.get("current")
    key_server.keys[:] = [other_signer]
    still_clock.advance(60)

    keys.get("next")
    with pytest.raises(TokenError):
        keys.get("current")


def test_unknown_keys_cost_one_request_a_minute(keys, key_server, still_clock):
    """However many tokens name them."""
    keys.get("current")
    still_clock.advance(60)
    for _ in range(5):
        for number in range(20):
            with pytest.raises(TokenError, match="not at http://127.0.0.1"):
                keys.get(f"made-up-{number}")
        still_clock.advance(11)

    assert 2 == key_server.asked
    still_clock.advance(5)
    with pytest.raises(TokenError):
        keys.get("made-up")
    assert 3 == key_server.asked


@pytest.mark.parametrize(
    "badly",
    [
        {"status": 500},
        {"status": 404},
        {"body": b"<html>"},
        {"body": b"[]"},
        {"body": b'{"keys": []}'},
        {"body": b'{"keys": null}'},
        {"body": b'{"keys": [1, null, {"kty": "RSA", "kid": "current"}]}'},
        {"body": b"[" * 100_000},
        {"body": b"x" * (1024 * 1024 + 1)},
        {"body": b"\xff\xfe\xfd"},
    ],
)
def test_old_keys_hold_for_a_day_while_their_server_does_badly(
    keys, key_server, still_clock, badly
):
    """It is asked once a minute meanwhile, and its new keys count as soon as they come."""
    keys.get("current")
    for name, value in badly.items():
        setattr(key_server, name, value)
    still_clock.advance(3600)
    for _ in range(10):
        keys.get("current")
    assert 2 == key_server.asked

    still_clock.advance(24 * 3600 - 1)
    keys.get("current")
    assert 3 == key_server.asked
    still_clock.advance(1)
    with pytest.raises(TokenError):
        keys.get("current")

    key_server.status, key_server.body = 200, None
    still_clock.advance(60)
    assert keys.get("current")


def test_a_server_that_is_away_lets_nobody_in(still_clock):
    """Until it is back, and a few seconds more."""
    server = KeyServer()
    url = server.url
    server.close()
    keys = KeySet(url, clock=still_clock)

    for _ in range(3):
        with pytest.raises(TokenError, match="or was not fetched"):
            keys.get("current")


def test_without_any_key_the_server_is_asked_again_soon(keys, key_server, still_clock):
    """What went wrong at a start refuses pushes for seconds, not for a minute."""
    key_server.status = 500
    for _ in range(3):
        with pytest.raises(TokenError, match="or was not fetched"):
            keys.get("current")
    assert 1 == key_server.asked

    key_server.status = 200
    still_clock.advance(5)
    assert keys.get("current")


def test_keys_are_not_looked_for_elsewhere(keys, key_server, signer):
    """A redirect is followed nowhere."""
    elsewhere = KeyServer()
    elsewhere.keys.append(signer)
    key_server.status, key_server.location = 302, elsewhere.url

    with pytest.raises(TokenError):
        keys.get("current")
    assert 0 == elsewhere.asked
    elsewhere.close()


def test_nobody_waits_for_new_keys_who_has_an_old_one(signer, still_clock):
    """One request fetches, the others go on."""
    entered, leave, fetched = threading.Event(), threading.Event(), []

    def fetch(_):
        if fetched:
            entered.set()
            leave.wait(30)
        fetched.append(1)
        return FetchedKeys(document(signer), "max-age=300")

    keys = KeySet("http://127.0.0.1/", clock=still_clock, fetch=fetch)
    keys.get("current")
    still_clock.advance(400)
    slow = threading.Thread(target=keys.get, args=("current",))
    slow.start()
    entered.wait(30)

    assert keys.get("current")
    assert 1 == len(fetched)
    leave.set()
    slow.join()
    assert 2 == len(fetched)


def test_many_that_need_the_first_keys_ask_once(signer, still_clock):
    """They wait for one answer."""
    together, fetched, found = threading.Barrier(8), [], []

    def fetch(_):
        fetched.append(1)
        return FetchedKeys(document(signer), "max-age=300")

    keys = KeySet("http://127.0.0.1/", clock=still_clock, fetch=fetch)

    def ask():
        together.wait()
        found.append(keys.get("current"))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (1, 8) == (len(fetched), len(found))


def test_only_keys_that_sign_are_taken(signer, other_signer):
    """RSA of 2,048 bits or more, with an id, for RS256."""
    shown = signer.jwk()
    listed = [
        shown,
        other_signer.jwk() | {"use": "enc"},
        other_signer.jwk() | {"kid": 7},
        other_signer.jwk() | {"kid": ""},
        other_signer.jwk() | {"alg": "RS512"},
        other_signer.jwk() | {"kty": "EC"},
        other_signer.jwk() | {"n": "not base64!"},
        Signer("small", size=1024).jwk(),
        {"kty": "oct", "k": "c2VjcmV0", "kid": "secret"},
        "next",
    ]

    assert ["current"] == list(read_keys(json.dumps({"keys": listed}).encode()))
