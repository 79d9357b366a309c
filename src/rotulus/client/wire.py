"""Sends calls to a service, again where that is safe, from threads and from coroutines."""

import asyncio
import re
import time
from random import uniform
from typing import Any, NoReturn, TypeVar, cast
from weakref import WeakKeyDictionary

import httpx2

from rotulus.client.calls import Answer, Call, sendable
from rotulus.client.problems import (
    NoServiceError,
    ServiceError,
    ServiceUnreachableError,
    as_ours,
    error_of,
)
from rotulus.config import is_token
from rotulus.errors import OptionError, RotulusError

T = TypeVar("T")

API = "/api/v1"

_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 5.0


class Wire:
    """The connections to a service. May be used from any thread, and from any event loop.

    Args:
        url: the address of the service, with the path below which it is mounted, if there is one.
        token: a bearer token, unless "".
        timeout: seconds that an answer may take.
        retries: how often a call is sent again that may be, when the service does not answer.

    Raises:
        OptionError: the url is no address, or has a user or a password; or the token has characters
            that no header can have. A secret is not in the message.
    """

    def __init__(self, url: str, token: str, timeout: float, retries: int) -> None:
        _check_address(url)
        if token and not is_token(token):
            raise OptionError("the token has characters that no header can have")
        self.url = url.rstrip("/")
        self._retries = retries
        self._options: dict[str, Any] = {
            "headers": {"Authorization": f"Bearer {token}"} if token else {},
            "timeout": timeout,
        }
        self._timeout = timeout
        self._client = httpx2.Client(**self._options)
        self._clients: WeakKeyDictionary[asyncio.AbstractEventLoop, httpx2.AsyncClient] = (
            WeakKeyDictionary()
        )

    def send(self, call: Call[T]) -> T:
        """Returns what a service answers to a call. Raises the error of a problem."""
        for tried in range(self._retries + 1):
            try:
                answer = self._client.send(self._request(self._client, call))
                return _read(answer, call)
            except httpx2.RequestError as error:
                failed: ServiceError = self._unreachable(error)
            except ServiceError as error:
                failed = error
            self._give_up(failed, call, tried)
            time.sleep(_pause(tried, failed))
        raise AssertionError

    async def asend(self, call: Call[T]) -> T:
        """`send`, for coroutines."""
        for tried in range(self._retries + 1):
            try:
                client = self.loop_client
                answer = await client.send(self._request(client, call))
                return _read(answer, call)
            except httpx2.RequestError as error:
                failed: ServiceError = self._unreachable(error)
            except ServiceError as error:
                failed = error
            self._give_up(failed, call, tried)
            await asyncio.sleep(_pause(tried, failed))
        raise AssertionError

    @property
    def client(self) -> httpx2.Client:
        """The connections of threads."""
        return self._client

    @property
    def loop_client(self) -> httpx2.AsyncClient:
        """The connections of the running event loop: no other one can use them."""
        loop = asyncio.get_running_loop()
        if loop not in self._clients:
            self._clients[loop] = httpx2.AsyncClient(**self._options)
        return self._clients[loop]

    def close(self) -> None:
        """Close the connections of threads."""
        self._client.close()

    async def aclose(self) -> None:
        """Close the connections of the running event loop."""
        client = self._clients.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.aclose()

    def address(self, path: str) -> str:
        """Returns the address of a path of the API."""
        return f"{self.url}{API}{path}"

    def _request(
        self, client: httpx2.Client | httpx2.AsyncClient, call: Call[Any]
    ) -> httpx2.Request:
        """Returns the request of a call. Raises `OptionError` for what is no JSON and no text."""
        body: dict[str, Any] = {} if call.body is None else {"json": call.body}
        if call.content is not None:
            body = {"content": call.content}
        with sendable():
            return client.build_request(
                call.method,
                self.address(call.path),
                params=list(call.query),
                headers=dict(call.headers),
                timeout=self._timeout + call.seconds,
                **body,
            )

    def _unreachable(self, error: httpx2.RequestError) -> ServiceUnreachableError:
        said = str(error) or type(error).__name__
        return ServiceUnreachableError(f"The service at {self.url} does not answer: {said}")

    def _give_up(self, error: ServiceError, call: Call[Any], tried: int) -> None:
        """Raise an error, unless the call may be sent again."""
        if not error.passing or not call.repeatable or tried == self._retries:
            _raise(error)


def _read(answer: httpx2.Response, call: Call[T]) -> T:
    """Returns the value of an answer. Raises `ServiceError`."""
    if not answer.is_success:
        raise error_of(answer.status_code, answer.headers, json_of(answer))
    if call.whole:
        return _value(answer, call, Answer(answer.content, answer.headers))
    body = json_of(answer)
    if body is None and answer.content:
        raise error_of(answer.status_code, answer.headers, {"detail": "The answer is no JSON."})
    if call.versioned and isinstance(body, dict):
        body = {
            **cast("dict[str, Any]", body),
            "version": _version(answer),
        }
    return _value(answer, call, body)


def _value(answer: httpx2.Response, call: Call[T], body: Any) -> T:
    """Returns what a call reads. Raises `NoServiceError` for a body of another shape."""
    try:
        return call.read(body)
    except RotulusError:  # what an answer says, such as that a task has failed
        raise
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise NoServiceError(
            f"The answer to {call.method} {API}{call.path} is not what a service of this version "
            f"says. Is this the address of a Rotulus service, and is its version that of the "
            f"client?",
            status=answer.status_code,
        ) from error


def _version(answer: httpx2.Response) -> str:
    """Returns the version that an answer has: a proxy that compresses it may weaken the ETag."""
    return answer.headers.get("etag", "").removeprefix("W/").strip('"')


def _check_address(url: str) -> None:
    """Raise `OptionError` unless a text is an address without a user and a password."""
    rest = url.partition("://")[2] or url
    if "@" in re.split(r"[/?#\\]", rest, maxsplit=1)[0]:
        raise OptionError("The address of a service has no user and no password: give a token")
    if not url.lower().startswith(("http://", "https://")) or not _is_address(url):
        shown = "This" if "@" in url else repr(url)  # what is before an @ may be a password
        raise OptionError(
            f"{shown} is no address of a service: one begins with https://, and has a host"
        )


def _is_address(url: str) -> bool:
    """Whether a text is an address, with a host."""
    try:
        return bool(httpx2.URL(url).host)
    except httpx2.InvalidURL:
        return False


def json_of(answer: httpx2.Response) -> Any:
    """Returns the JSON of an answer; None if it has none."""
    kind = answer.headers.get("content-type", "").partition(";")[0]
    if kind != "application/json" and not kind.endswith("+json"):
        return None
    try:
        return answer.json()
    except ValueError:  # an empty body, or something else that pretends to be JSON
        return None


def _raise(error: ServiceError) -> NoReturn:
    """Raise the library's error in place of a service's, which is its cause then."""
    ours = as_ours(error)
    if ours is error:
        raise error
    raise ours from error


def _pause(tried: int, error: ServiceError) -> float:
    """Returns how many seconds to wait before a call is sent again."""
    if error.retry_after is not None:
        return min(error.retry_after, _LONGEST_PAUSE)
    return min(_FIRST_PAUSE * 2**tried, _LONGEST_PAUSE) * uniform(0.5, 1.0)  # noqa: S311 - no secret
