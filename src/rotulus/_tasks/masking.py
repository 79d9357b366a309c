"""Which values are secret, by their names and by their types, and how they are hidden."""

import re
from collections.abc import Collection, Iterable, Sequence
from itertools import zip_longest
from typing import Any, cast

from rotulus._tasks.secret_schema import NOWHERE, WHOLE, Secrets
from rotulus.errors import OptionError

MASK = "***"
"""The text in place of a secret value."""

MASKED_NAMES = (
    "password",
    "passwords",
    "passwd",
    "passphrase",
    "secret",
    "secrets",
    "token",
    "api_key",
    "apikey",
    "authorization",
    "cookie",
    "cookies",
    "credential",
    "credentials",
    "private_key",
)
"""The names whose values are secret unless an app says otherwise."""

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W\d_a-zA-Z]+")
_MOST_KNOWN = 10_000


class MaskedNames:
    """Names whose values are secret: keys of objects that have these words in them, whole.

    `api_key` is in `apiKey`, `API-KEY` and `stripe_api_key_2`, and `token` is not in `tokens`.

    Args:
        names: the names, each one word or several.

    Raises:
        OptionError: one of them has no word in it.
    """

    def __init__(self, names: Collection[str] = MASKED_NAMES) -> None:
        self._names = [_words(name) for name in names]
        for name, words in zip(names, self._names, strict=True):
            if not words:
                raise OptionError(f"mask: {name!r} is not allowed: give names such as 'api_key'")
        self._known: dict[str, bool] = {}

    def hide(self, name: str) -> bool:
        """Returns whether the value of that name is secret."""
        known = self._known.get(name)
        if known is None:
            words = _words(name)
            known = any(_within(sought, words) for sought in self._names)
            if len(self._known) < _MOST_KNOWN:
                self._known[name] = known
        return known

    def masked(self, value: Any, secrets: Secrets = NOWHERE) -> Any:
        """Returns a value with `***` in place of what is secret in it; None stays None.

        Args:
            value: JSON data. It is not changed.
            secrets: where secrets are by their types.
        """
        if value is None:
            return None
        if secrets.whole:
            return MASK
        if isinstance(value, dict):
            members = cast("dict[str, Any]", value).items()
            return {key: self.masked(one, self._at(key, secrets)) for key, one in members}
        if isinstance(value, list):
            within = secrets if secrets.nowhere else secrets.within_list()
            return [self.masked(one, within) for one in cast("list[Any]", value)]
        return value

    def restored(self, value: Any, stored: Any, secrets: Secrets = NOWHERE) -> Any:
        """Returns a value with the stored secrets in place of each `***` that stands for one.

        Args:
            value: JSON data, as somebody sends it back who has seen it masked.
            stored: the same as it was before it was masked.
            secrets: where secrets are by their types.
        """
        unchanged: Any = value
        if secrets.whole:
            return stored if value == MASK and stored is not None else unchanged
        if isinstance(value, dict) and isinstance(stored, dict):
            was = cast("dict[str, Any]", stored)
            return {
                key: self.restored(one, was.get(key), self._at(key, secrets))
                for key, one in cast("dict[str, Any]", value).items()
            }
        if isinstance(value, list) and isinstance(stored, list):
            within = secrets if secrets.nowhere else secrets.within_list()
            pairs = zip_longest(cast("list[Any]", value), cast("list[Any]", stored))
            restored = [self.restored(one, was, within) for one, was in pairs]
            return restored[: len(cast("list[Any]", value))]
        return unchanged

    def leads_to_secret(self, path: Iterable[str], secrets: Secrets = NOWHERE) -> bool:
        """Returns whether a path leads to, or into, what is secret.

        Args:
            path: names of members, and places in lists.
            secrets: where secrets are by their types.
        """
        every = [secrets]
        for name in path:
            if self.hide(name):
                return True
            every = [one for each in every for one in (each.at(name), each.within_list())]
            if any(one.whole for one in every):
                return True
        return False

    def _at(self, key: str, secrets: Secrets) -> Secrets:
        if self.hide(key):
            return WHOLE
        return secrets if secrets.nowhere else secrets.at(key)


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(name)]


def _within(sought: Sequence[str], words: Sequence[str]) -> bool:
    """Returns whether some words stand together among others."""
    size = len(sought)
    return any(words[at : at + size] == sought for at in range(len(words) - size + 1))
