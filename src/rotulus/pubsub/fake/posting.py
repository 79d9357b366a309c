"""Posts the pushes of the fake, as Google's servers do, with a signed token."""

import http.client
from collections.abc import Mapping
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

_OPENER = build_opener(ProxyHandler({}))  # this machine is behind no proxy


def post(url: str, body: bytes, headers: Mapping[str, str], timeout: float) -> int | None:
    """Post a body. Returns the status of the answer.

    Args:
        url: the target.
        body: the body.
        headers: its headers.
        timeout: seconds to wait for an answer.

    Returns:
        The status of the answer; None: there was no answer in time.
    """
    request = Request(url, body, dict(headers), method="POST")  # noqa: S310 - provisioned
    try:
        with _OPENER.open(request, timeout=timeout) as answer:
            return answer.status
    except HTTPError as error:
        error.close()
        return error.code
    except (OSError, http.client.HTTPException):
        return None
