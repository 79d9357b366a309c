"""The filters of subscriptions, which choose messages by their attributes."""

import re
from collections.abc import Callable, Mapping

from rotulus.pubsub.fake.requests import invalid

Filter = Callable[[Mapping[str, str]], bool]

_TOKEN = re.compile(r'\s*(hasPrefix|AND|OR|NOT|[A-Za-z_][A-Za-z0-9_]*|"[^"]*"|!=|[=:.(),-])')


def read_filter(text: str) -> Filter:
    """Returns the test of a filter, in the language of Pub/Sub.

    Args:
        text: such as `attributes.kind = "mail" AND NOT attributes:silent`; empty: every message.

    Raises:
        Refused: INVALID_ARGUMENT: it cannot be read.
    """
    if not text.strip():
        return lambda _: True
    return _Reader(text).whole()


class _Reader:
    """Reads one filter from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens: list[str] = []
        place = 0
        while text[place:].strip():
            found = _TOKEN.match(text, place)
            if found is None:
                raise self._wrong()
            self._tokens.append(found[1])
            place = found.end()

    def whole(self) -> Filter:
        read = self._any()
        if self._tokens:
            raise self._wrong()
        return read

    def _any(self) -> Filter:
        parts = [self._all()]
        while self._takes("OR"):
            parts.append(self._all())
        return lambda attributes: any(part(attributes) for part in parts)

    def _all(self) -> Filter:
        parts = [self._one()]
        while self._takes("AND"):
            parts.append(self._one())
        return lambda attributes: all(part(attributes) for part in parts)

    def _one(self) -> Filter:
        if self._takes("NOT") or self._takes("-"):
            inner = self._one()
            return lambda attributes: not inner(attributes)
        if self._takes("("):
            inner = self._any()
            self._must(")")
            return inner
        if self._takes("hasPrefix"):
            return self._prefix()
        return self._comparison()

    def _prefix(self) -> Filter:
        self._must("(")
        key = self._attribute(".")
        self._must(",")
        start = self._value()
        self._must(")")
        return lambda attributes: attributes.get(key, "").startswith(start) and key in attributes

    def _comparison(self) -> Filter:
        self._must("attributes")
        if self._takes(":"):
            name = self._key()
            return lambda attributes: name in attributes
        self._must(".")
        key = self._key()
        if self._takes("!="):
            other = self._value()
            return lambda attributes: key in attributes and attributes[key] != other
        self._must("=")
        value = self._value()
        return lambda attributes: attributes.get(key) == value

    def _attribute(self, between: str) -> str:
        self._must("attributes")
        self._must(between)
        return self._key()

    def _key(self) -> str:
        token = self._next()
        return token.strip('"')

    def _value(self) -> str:
        token = self._next()
        if not token.startswith('"'):
            raise self._wrong()
        return token[1:-1]

    def _next(self) -> str:
        if not self._tokens:
            raise self._wrong()
        return self._tokens.pop(0)

    def _takes(self, token: str) -> bool:
        if self._tokens[:1] == [token]:
            self._tokens.pop(0)
            return True
        return False

    def _must(self, token: str) -> None:
        if not self._takes(token):
            raise self._wrong()

    def _wrong(self) -> Exception:
        return invalid(f"Invalid filter: {self._text}")
