"""Signs the tokens of pushes with a key of its own, and serves the set of its public keys."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from rotulus._time.clock import Clock

ISSUER = "https://accounts.google.com"
_LIFETIME = 3600
"""The life of a token in seconds, as of Google's."""


class Signer:
    """Makes tokens like Google's, and serves the public keys.

    Args:
        clock: the clock of the tokens.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._server: ThreadingHTTPServer | None = None
        self._number = 0
        self.rotate()

    def rotate(self) -> None:
        """Sign with a new key from now on; the old one leaves the key set."""
        self._number += 1
        self._id = f"fake-{self._number}"
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def token(self, audience: str, email: str) -> str:
        """Returns a token for an audience, in the name of an account."""
        now = int(self._clock.now().timestamp())
        claims = {
            "iss": ISSUER,
            "aud": audience,
            "azp": "100000000000000000000",
            "sub": "100000000000000000000",
            "email": email,
            "email_verified": True,
            "iat": now,
            "exp": now + _LIFETIME,
        }
        return jwt.encode(claims, self._key, "RS256", {"kid": self._id})

    @property
    def keys(self) -> dict[str, Any]:
        """The set of public keys."""
        public = RSAAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        return {"keys": [{**public, "kid": self._id, "use": "sig", "alg": "RS256"}]}

    def serve(self) -> None:
        """Serve the key set on a free port of loopback, until `close`."""
        signer = self

        class Keys(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = json.dumps(signer.keys).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Cache-Control", "public, max-age=3600")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Keys)
        serve = self._server.serve_forever
        threading.Thread(target=serve, args=(0.05,), name="fake-keys", daemon=True).start()

    @property
    def url(self) -> str:
        """The address of the key set, for `ROTULUS_OIDC_JWKS_URL`."""
        port = self._server.server_port if self._server else 0
        return f"http://127.0.0.1:{port}/certs"

    def close(self) -> None:
        """Serve no more."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
