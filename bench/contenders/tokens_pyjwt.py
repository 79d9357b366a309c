"""PyJWT, given the key: the signature, the issuer, the audience and the times."""

import json

import contender
import jwt
import signing


class PyJwt(contender.Contender):
    """The least that a check costs: no claim of Google's is looked at."""

    def verifying(self):
        _, server = signing.serve_key()
        server.kill()
        [shown] = json.loads((contender.RUN / "keys" / "certs").read_text())["keys"]
        key, token = jwt.PyJWK(shown).key, signing.token()
        claims = {"audience": signing.AUDIENCE, "issuer": "https://accounts.google.com"}
        return lambda: jwt.decode(token, key, algorithms=["RS256"], **claims)


CONTENDER = PyJwt()
