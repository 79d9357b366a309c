"""Our verifier of tokens, with the keys that it has fetched."""

import contender
import signing

from rotulus.pubsub import PushRequest, TokenVerifier
from rotulus.pubsub.keys import KeySet


class Ours(contender.Contender):
    """It looks at every claim, and at the headers of the request."""

    def verifying(self):
        url, server = signing.serve_key()
        verifier = TokenVerifier(signing.AUDIENCE, [signing.ACCOUNT], KeySet(url))
        headers = [("Host", "127.0.0.1"), ("Authorization", f"Bearer {signing.token()}")]
        request = PushRequest(headers, b"", "127.0.0.1")
        try:
            verifier.verify(request)  # which fetches the key
        finally:
            server.kill()
        return lambda: verifier.verify(request)


CONTENDER = Ours()
