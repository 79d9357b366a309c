"""A key, the server that shows its public half, and the tokens that Google would sign with it."""

import json
import subprocess
import sys
import time

import contender
import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

AUDIENCE = "https://shop-xyz123-ew.a.run.app"
ACCOUNT = "pubsub-invoker@shop-prod.iam.gserviceaccount.com"
_KEY_ID = "bench"
_PATIENCE = 30
_PRIVATE = contender.RUN / "private.pem"


def serve_key():
    """Make a key, and show its public half; the URL, and the process that serves it."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    how = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8)
    written = _PRIVATE.with_suffix(".written")
    written.write_bytes(private.private_bytes(*how, serialization.NoEncryption()))
    written.replace(_PRIVATE)  # whole, for a program that waits for it
    folder = contender.RUN / "keys"
    folder.mkdir()
    (folder / "certs").write_text(json.dumps({"keys": [_public(private)]}))
    command = [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1"]
    server = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    port = server.stdout.readline().split(" port ")[1].split()[0]
    return f"http://127.0.0.1:{port}/certs", server


def token():
    """Returns a token as Google sends it with a push, good for an hour.

    Its server may have begun a moment ago, and still be making the key.
    """
    end = time.monotonic() + _PATIENCE
    while not _PRIVATE.exists() and time.monotonic() < end:
        time.sleep(0.01)
    now = int(time.time())
    claims = {
        "iss": "https://accounts.google.com",
        "aud": AUDIENCE,
        "email": ACCOUNT,
        "email_verified": True,
        "sub": "1234",
        "iat": now,
        "exp": now + 3600,
    }
    headers = {"kid": _KEY_ID}
    return jwt.encode(claims, _PRIVATE.read_bytes(), algorithm="RS256", headers=headers)


def _public(private):
    found = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(private.public_key()))
    return found | {"kid": _KEY_ID, "use": "sig", "alg": "RS256"}
