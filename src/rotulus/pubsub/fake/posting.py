"""Posts what the fake pushes, as Google's servers do, with a signed token."""

import http.client
from collections.abc import Mapping
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

_OPENER = build_opener(ProxyHandler({}))  # what is on this machine is behind no proxy


def post(url: str, body: bytes, headers: Mapping[str, str], timeout: float) -> int | None:
    """Post a body.

    Args:
        url: where to.
        body: what is sent.
        headers: with it.
        timeout: seconds to wait for an answer.

    Returns:
        The status of the answer; None: there was no answer in time.
    """
    request = Request(url, body, dict(headers), method="POST")  # noqa: S310 - who provisions says it
    try:
        with _OPENER.open(request, timeout=timeout) as answer:
            return answer.status
    except HTTPError as error:
        error.close()
        return error.code
    except (OSError, http.client.HTTPException):
        return None
