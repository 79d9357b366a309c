"""The corpus of tokens: the right one comes in, and nothing that is forged, broken or too old."""

import asyncio
import hashlib
import hmac
import statistics
import time

import jwt
import pytest
from cryptography.hazmat.primitives import serialization

from pubsub.signing import ACCOUNT, AUDIENCE, Signer, encoded
from rotulus.errors import ConfigurationError, TokenError
from rotulus.pubsub import LocalVerifier, PubSubSettings, TokenVerifier
from rotulus.pubsub.http import PushRequest
from rotulus.pubsub.keys import KeySet


def request(*tokens, scheme="Bearer"):
    """A push with these tokens."""
    return PushRequest([("Authorization", f"{scheme} {token}") for token in tokens], b"")


def unsigned(signer):
    """A token whose header says that there is no signature."""
    claims = signer.token().split(".")[1]
    return f"{encoded({'alg': 'none', 'typ': 'JWT', 'kid': signer.key_id})}.{claims}."


def signed_with_the_public_key(signer):
    """HS256, with the public key as the secret: what is fooled takes the algorithm of the token."""
    public = signer.private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    claims = signer.token().split(".")[1]
    head = f"{encoded({'alg': 'HS256', 'typ': 'JWT', 'kid': signer.key_id})}.{claims}"
    return f"{head}.{encoded(hmac.digest(public, head.encode(), hashlib.sha256))}"


def other_algorithm(signer):
    """Signed by the right key, and not as Google does."""
    claims = jwt.decode(signer.token(), options={"verify_signature": False})
    return jwt.encode(claims, signer.private, "PS256", headers={"kid": signer.key_id})


def other_claims(signer):
    """The claims of one token with the signature of another."""
    head, _, signature = signer.token().split(".")
    return f"{head}.{signer.token(email='x@example.com').split('.')[1]}.{signature}"


def now(seconds):
    """A moment so many seconds from now, as tokens have it."""
    return int(time.time()) + seconds


WRONG = {
    "no signature": unsigned,
    "the public key as secret": signed_with_the_public_key,
    "another algorithm": other_algorithm,
    "claims that were not signed": other_claims,
    "the key of somebody else": lambda signer: Signer(signer.key_id).token(),
    "a key that is not in the set": lambda _: Signer("unknown").token(),
    "no key id": lambda signer: signer.token(headers={"kid": None}),
    "a critical extension": lambda signer: signer.token(headers={"crit": ["b64"], "b64": True}),
    "another issuer": lambda signer: signer.token(iss="https://accounts.example.com"),
    "an issuer spelt otherwise": lambda signer: signer.token(iss="https://accounts.google.com/"),
    "another audience": lambda signer: signer.token(aud="https://other.a.run.app"),
    "an audience with a path": lambda signer: signer.token(aud=AUDIENCE + "/tasks/pubsub/"),
    "a list of audiences": lambda signer: signer.token(aud=[AUDIENCE]),
    "no audience": lambda signer: signer.token(aud=None),
    "no e-mail": lambda signer: signer.token(email=None),
    "an e-mail that is not verified": lambda signer: signer.token(email_verified=False),
    "an e-mail that is verified as text": lambda signer: signer.token(email_verified="true"),
    "another service account": lambda signer: signer.token(email="x" + ACCOUNT),
    "expired": lambda signer: signer.token(iat=now(-3700), exp=now(-40)),
    "issued in the future": lambda signer: signer.token(iat=now(60), exp=now(600)),
    "not valid before later": lambda signer: signer.token(nbf=now(60)),
    "two hours to live": lambda signer: signer.token(exp=now(7200)),
    "no end": lambda signer: signer.token(exp=None),
    "9 KiB": lambda signer: signer.token(filler="x" * 9 * 1024),
}
"""What is wrong with each of the tokens that must not come in."""


@pytest.fixture
def verifier(verified_settings):
    """What lets tokens in."""
    return TokenVerifier.from_settings(verified_settings)


@pytest.fixture
def warm(verifier, signer, key_server):
    """The same, with its keys fetched."""
    verifier.verify(request(signer.token()))
    assert 1 == key_server.asked
    return verifier


@pytest.mark.parametrize("issuer", ["accounts.google.com", "https://accounts.google.com"])
def test_the_right_token_comes_in(verifier, signer, issuer):
    """By either name of its issuer, in threads and on event loops."""
    right = request(signer.token(iss=issuer))

    verifier.verify(right)
    asyncio.run(verifier.averify(right))
    verifier.verify(request(signer.token(), scheme="bearer"))


def test_there_are_twenty_four_wrong_tokens():
    """As many as were promised."""
    assert 24 == len(WRONG)


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_token_does_not_come_in(warm, signer, what):
    """Neither way."""
    wrong = request(WRONG[what](signer))

    with pytest.raises(TokenError):
        warm.verify(wrong)
    with pytest.raises(TokenError):
        asyncio.run(warm.averify(wrong))


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("Authorization", "")],
        [("Authorization", "Bearer")],
        [("Authorization", "Bearer x")],
        [("Authorization", "Bearer a.b.c")],
        [("Authorization", "Bearer " + "." * 100)],
        [("Authorization", "Bearer é.b.c")],
        [("Authorization", f"Bearer {encoded(b'[' * 3000)}.b.c")],
        [("Authorization", f"Bearer {encoded([])}.b.c")],
        [("Cookie", "Authorization=Bearer a.b.c")],
    ],
)
def test_what_is_no_token_does_not_come_in(warm, headers):
    """Nor does it break anything."""
    with pytest.raises(TokenError):
        warm.verify(PushRequest(headers, b""))


@pytest.mark.parametrize("scheme", ["Basic", "Token", "BEARER\n", ""])
def test_another_scheme_does_not_come_in(warm, signer, scheme):
    """With the right token, too."""
    with pytest.raises(TokenError, match="not 'Bearer'"):
        warm.verify(request(signer.token(), scheme=scheme))


def test_two_tokens_are_none(warm, signer):
    """In two headers, and in one that a server has put together."""
    right = signer.token()

    with pytest.raises(TokenError, match="2 Authorization headers"):
        warm.verify(request(right, right))
    with pytest.raises(TokenError, match="not 'Bearer'"):
        warm.verify(request(f"{right}, Bearer {right}"))


@pytest.mark.parametrize("claims", [b"[]", b"null", b"x", b"[" * 2000, b'{"iss": NaN}'])
def test_claims_have_to_be_an_object(warm, signer, claims):
    """Whatever else was signed."""
    token = jwt.PyJWS().encode(
        claims, signer.private, algorithm="RS256", headers={"kid": signer.key_id}
    )
    with pytest.raises(TokenError):
        warm.verify(request(token))


@pytest.mark.parametrize("value", [True, "1", None, [], 2**60])
@pytest.mark.parametrize("name", ["exp", "iat", "nbf"])
def test_times_have_to_be_numbers(warm, signer, name, value):
    """Of seconds. Without `nbf` a token is valid from its issue."""
    if (name, value) == ("nbf", None):
        return
    with pytest.raises(TokenError):
        warm.verify(request(signer.token(**{name: value})))


def test_clocks_may_differ_by_thirty_seconds(signer, verified_settings, still_clock):
    """At either end, and not by more."""
    verifier = TokenVerifier.from_settings(verified_settings, clock=still_clock)
    start = int(still_clock.now().timestamp())

    for issued, end in ((30, 100), (-3600, -29), (-3800, 100)):
        verifier.verify(request(signer.token(iat=start + issued, exp=start + end)))
    for issued, end in ((31, 100), (-3600, -30), (-3801, 100), (20, 10)):
        with pytest.raises(TokenError):
            verifier.verify(request(signer.token(iat=start + issued, exp=start + end)))


def test_a_subject_can_be_pinned(signer, key_server):
    """Then only that account comes in, also after its address was given to another."""
    keys = KeySet(key_server.url)

    TokenVerifier(AUDIENCE, [ACCOUNT], keys, subject="1234").verify(request(signer.token()))
    with pytest.raises(TokenError, match="'sub'"):
        TokenVerifier(AUDIENCE, [ACCOUNT], keys, subject="9").verify(request(signer.token()))


@pytest.mark.parametrize(
    ("audience", "accounts"),
    [("", [ACCOUNT]), (AUDIENCE, []), (AUDIENCE, [""]), (AUDIENCE, ACCOUNT)],
)
def test_nothing_is_verified_without_an_audience_and_an_account(key_server, audience, accounts):
    """Whoever forgets one gets an error at the start."""
    with pytest.raises(ConfigurationError, match=r"CLOUD_RUN_SERVICE_URL.*TASKS_SERVICE_ACCOUNT"):
        TokenVerifier(audience, accounts, KeySet(key_server.url))


@pytest.mark.parametrize("missing", ["service_url", "service_account"])
def test_a_setting_that_lacks_is_an_error_at_the_start(missing):
    """There is no mode without it."""
    given = {"service_url": AUDIENCE, "service_account": ACCOUNT} | {missing: ""}
    with pytest.raises(ConfigurationError, match="such as"):
        TokenVerifier.from_settings(PubSubSettings(**given))


def test_a_request_asks_nobody_when_the_keys_are_there(warm, signer, key_server):
    """Nor does a wrong one; however many there are."""
    for _ in range(50):
        warm.verify(request(signer.token()))
        with pytest.raises(TokenError):
            warm.verify(request(signer.token(aud="x")))

    assert 1 == key_server.asked


def test_a_token_is_verified_quickly(warm, signer):
    """In 0.3 ms, by the median of 500."""
    right = request(signer.token())
    took = []
    for _ in range(500):
        begin = time.perf_counter()
        warm.verify(right)
        took.append(time.perf_counter() - begin)

    print(f"p50 {statistics.median(took) * 1000:.3f} ms")
    assert statistics.median(took) <= 0.0003


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
def test_a_machine_may_push_to_itself_if_told_so(peer):
    """Where there is an emulator, which signs nothing."""
    LocalVerifier().verify(PushRequest([], b"", peer))
    asyncio.run(LocalVerifier().averify(PushRequest([], b"", peer)))


@pytest.mark.parametrize("peer", [None, "", "10.0.0.1", "localhost", "127.0.0.1.example.com"])
def test_nobody_else_pushes_without_a_token(peer):
    """Also not from an address that nobody knows."""
    with pytest.raises(TokenError, match="only this machine"):
        LocalVerifier().verify(PushRequest([("Host", "localhost")], b"", peer))


@pytest.mark.parametrize(
    "name", ["Origin", "Sec-Fetch-Site", "Forwarded", "X-Forwarded-For", "Via"]
)
def test_a_page_in_a_browser_of_this_machine_does_not_push(name):
    """Nor does a proxy pass on what comes from elsewhere."""
    with pytest.raises(TokenError, match="a browser, or a proxy"):
        LocalVerifier().verify(PushRequest([(name, "127.0.0.1")], b"", "127.0.0.1"))
