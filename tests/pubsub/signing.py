"""A server of keys on this machine, and tokens as Google would sign them, and as it would not."""

import base64
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

AUDIENCE = "https://shop-xyz123-ew.a.run.app"
ACCOUNT = "pubsub-invoker@shop-prod.iam.gserviceaccount.com"


class Signer:
    """A key with an id, and the tokens that it signs."""

    def __init__(self, key_id, size=2048):
        self.key_id = key_id
        self.private = rsa.generate_private_key(public_exponent=65537, key_size=size)

    def jwk(self):
        """The public half, as a key set has it."""
        shown = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.private.public_key()))
        return shown | {"kid": self.key_id, "use": "sig", "alg": "RS256"}

    def token(self, *, headers=None, **claims):
        """A token that is right but for the claims that are given; None takes one away."""
        now = int(time.time())
        usual = {
            "iss": "https://accounts.google.com",
            "aud": AUDIENCE,
            "azp": "1234",
            "email": ACCOUNT,
            "email_verified": True,
            "sub": "1234",
            "iat": now,
            "exp": now + 3600,
        }
        return jwt.encode(
            _without_none(usual | claims),
            self.private,
            algorithm="RS256",
            headers=_without_none({"kid": self.key_id} | (headers or {})),
        )


class KeyServer:
    """Shows a key set, counts who asks, and can be told to do badly."""

    def __init__(self):
        self.keys, self.asked, self.status = [], 0, 200
        self.cache_control, self.body, self.location = "public, max-age=3600", None, None
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                outer.asked += 1
                body = outer.body
                if body is None:
                    body = json.dumps({"keys": [signer.jwk() for signer in outer.keys]}).encode()
                self.send_response(outer.status)
                self.send_header("Cache-Control", outer.cache_control)
                self.send_header("Content-Length", str(len(body)))
                if outer.location:
                    self.send_header("Location", outer.location)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()

    @property
    def url(self):
        """Where the keys are."""
        return f"http://127.0.0.1:{self.server.server_port}/certs"

    def close(self):
        """Stop."""
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


def encoded(value):
    """A part of a token: JSON as URL-safe base64 without padding."""
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def _without_none(values):
    return {name: value for name, value in values.items() if value is not None}
