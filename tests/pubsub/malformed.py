"""Pushes that do their worst, drawn from random numbers: what they are made of, and how it is put."""

import base64
import copy
import gzip
import json

from rotulus.pubsub.http import PushRequest

WORST_VALUES = [
    None, True, 0, -1, 1.5, 1e308, 10**30, -(10**400), 2**63, "", "\0", "a\0b", "\ud800", "\u202e",
    "x" * 5_000, [], [[]], {}, {"": {}}, [None] * 50, "__proto__", "scheduled-", "e30=", "e30",
    "projects/p/subscriptions/", "/", {"data": "e30="}, "0197f3a0-0000-7000-8000-000000000001",
]  # fmt: skip

WORST_TEXTS = [
    b"", b"{", b"[" * 70, b"[" * 100_000, b'{"a":' * 70, b"nul", b"NaN", b'{"message": NaN}',
    b"\xff\xfe", b"\xef\xbb\xbf{}", "{}".encode("utf-16"), b'{"message": {"data": 1e999}}',
    b'{"message": {}, "message": {}}', b'{"message": {"data": ' + b"9" * 5_000 + b"}}", b"\0",
    b'{"message": {"data": "\\ud800"}}', b'{"message": {"data": "\\u0000"}}', b'"' + b"\\" * 999,
    b'{"message": {}} {}', b" " * 1_600_000, b"1" * 1_000_000, b"a=1&b=2", b"<a/>", b"--x\r\n",
]  # fmt: skip

WORST_HEADERS = [
    ("Content-Type", ["", "text/plain", "application/json; charset=latin-1", ";;;", "a/b/c"]),
    ("Content-Encoding", ["gzip", "br, gzip", "identity"]),
    ("X-Goog-Pubsub-Message-Id", ["", "1", "\xff", "x" * 5_000]),
    ("X-Goog-Pubsub-Subscription-Name", ["", "a/b", "\xff"]),
    ("task", ["numbers.add", "\xff", "", "x" * 5_000]),
    ("\xff", ["a"]),
    ("", ["a"]),
]

PAYLOAD = {"task_id": "order-1", "task_name": "add", "args": [1], "kwargs": {"right": 2}}


class Malformed:
    """Draws pushes.

    Args:
        random: random numbers.
    """

    def __init__(self, random):
        self._random = random

    def draw(self):
        """A push that is wrong in one way, or in several."""
        return PushRequest(self._headers(), self._body(), "127.0.0.1")

    def _body(self):
        if self._random.random() < 0.1:
            return self._random.choice(WORST_TEXTS)
        body = json.dumps(self._envelope()).encode()
        return self._twisted(body) if self._random.random() < 0.3 else body

    def _envelope(self):
        told = {
            "message": {
                "data": self._data(),
                "attributes": {"task": "numbers.add"},
                "messageId": str(self._random.randrange(50)),
            },
            "subscription": "projects/p/subscriptions/a-sub",
            "deliveryAttempt": 1,
        }
        return self._spoilt(told) if self._random.random() < 0.5 else told

    def _data(self):
        payload = copy.deepcopy(PAYLOAD)
        if self._random.random() < 0.7:
            payload = self._spoilt(payload)
        raw = json.dumps(payload).encode()
        if self._random.random() < 0.2:
            raw = self._twisted(raw)
        if self._random.random() < 0.05:
            raw = self._random.choice(WORST_TEXTS)
        text = base64.b64encode(raw).decode()
        if self._random.random() < 0.1:
            cut = self._random.randrange(len(text) + 1)
            text = self._random.choice([text[:cut], text[:cut] + "!" + text[cut:], text.strip("=")])
        return text

    def _spoilt(self, value):
        """A value with something else in one or two of its places, or without one."""
        value = copy.deepcopy(value)
        for _ in range(self._random.randrange(1, 3)):
            places = [(value, key) for key in value] if isinstance(value, dict) else []
            for inner in list(value.values()) if isinstance(value, dict) else []:
                if isinstance(inner, dict):
                    places += [(inner, key) for key in inner]
            if not places:
                return self._worst()
            holder, key = self._random.choice(places)
            if self._random.random() < 0.2:
                del holder[key]
            elif self._random.random() < 0.1:
                holder[self._random.choice(["", "*", "**", "self", "args"])] = 1
            else:
                holder[key] = self._worst()
        return value if self._random.random() < 0.95 else self._worst()

    def _worst(self):
        return copy.deepcopy(self._random.choice(WORST_VALUES))

    def _twisted(self, raw):
        """Bytes that were cut off, doubled, packed, or hit."""
        at = self._random.randrange(len(raw) + 1)
        hit = bytes([self._random.randrange(256)])
        return self._random.choice(
            [
                raw[:at],
                raw[at:],
                raw + raw,
                gzip.compress(raw, 1),
                raw[:at] + hit + raw[at + 1 :],
                raw[:at] + b'"task_name":"add",' + raw[at:],
                raw.replace(b'"', b"'"),
                raw.decode("latin-1").encode("utf-16"),
            ]
        )

    def _headers(self):
        headers = [("Content-Type", "application/json")]
        if self._random.random() < 0.3:
            name, values = self._random.choice(WORST_HEADERS)
            headers.append((name, self._random.choice(values)))
        return headers
