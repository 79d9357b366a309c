"""Pushes messages to their endpoints by HTTP, and takes the answers."""

import base64
import http.client
import json
import threading
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

from google.pubsub_v1 import PubsubMessage

from rotulus.pubsub.fake.broker import Broker, Inbox, Waiting, stamp
from rotulus.pubsub.fake.faults import Faults
from rotulus.pubsub.fake.signing import Signer

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


ACKNOWLEDGED = (102, 200, 201, 202, 204)
"""The answers that mean that a message has been handled."""

_AT_ONCE = 32
_MOST_AT_ONCE = 1000


class Pusher:
    """Pushes the messages that are due.

    Args:
        broker: the broker with the messages.
        signer: signs the tokens.
        faults: the faults to make.
    """

    def __init__(self, broker: Broker, signer: Signer, faults: Faults) -> None:
        self._broker = broker
        self._signer = signer
        self._faults = faults
        self._threads = ThreadPoolExecutor(_AT_ONCE, "fake-push")
        self._closed = threading.Event()

    def push(self) -> list[Future[None]]:
        """Send the messages that are due; each future is done when its answer is there."""
        sent: list[Future[None]] = []
        with self._broker.lock:
            boxes = list(self._broker.inboxes.values())
        for box in boxes:
            if box.settings.push_config.push_endpoint:
                for waiting in self._broker.take(box, _MOST_AT_ONCE):
                    sent += self._send(box, waiting)
        return sent

    def close(self) -> None:
        """Send no more, and wait for no more answers."""
        self._closed.set()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _send(self, box: Inbox, waiting: Waiting) -> list[Future[None]]:
        if self._faults.happens("drop"):
            return []
        times = 2 if self._faults.happens("duplicate") else 1
        tries = waiting.tries
        return [self._threads.submit(self._post, box, waiting, tries) for _ in range(times)]

    def _post(self, box: Inbox, waiting: Waiting, tries: int) -> None:
        if self._faults.latency:
            self._closed.wait(self._faults.latency)
        config = box.settings.push_config
        headers = {"Content-Type": "application/json", "User-Agent": "APIs-Google; fake"}
        if config.oidc_token.service_account_email:
            audience = config.oidc_token.audience or config.push_endpoint
            token = self._signer.token(audience, config.oidc_token.service_account_email)
            headers["Authorization"] = f"Bearer {token}"
        body = json.dumps(_envelope(box, waiting.message, tries)).encode()
        status = post(config.push_endpoint, body, headers, box.deadline)
        if status in ACKNOWLEDGED:
            self._broker.acknowledge(box, waiting.message.message_id)
        elif not self._closed.is_set():
            self._broker.refuse(box, waiting, tries)


def answered(sent: list[Future[None]], seconds: float) -> bool:
    """Wait until all pushes have their answers. Returns False if some have none. Raises errors."""
    done, left = wait(sent, seconds)
    for future in done:
        future.result()
    return not left


def _envelope(box: Inbox, message: PubsubMessage, tries: int) -> dict[str, Any]:
    published = stamp(message)
    inner = {
        "attributes": dict(message.attributes),
        "data": base64.b64encode(message.data).decode(),
        "messageId": message.message_id,
        "message_id": message.message_id,
        "publishTime": published,
        "publish_time": published,
    }
    counted = {} if box.most_tries is None else {"deliveryAttempt": tries}
    return {"message": inner, "subscription": box.settings.name, **counted}
