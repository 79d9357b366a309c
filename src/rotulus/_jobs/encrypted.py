"""Encrypted values of jobs: what encrypts them, how they are stored, and how they are read."""

import json
from typing import Any, Protocol, cast, runtime_checkable

from rotulus.errors import CipherError

_NAME = "$cipher"

_BEGINNING = f'{{"{_NAME}":'

_EMPTY = ("{}", "null")
"""Values that are stored as they are, as they say nothing."""


@runtime_checkable
class Cipher(Protocol):
    """Encrypts the values of jobs, such as `Fernet` and `MultiFernet` of `cryptography`.

    Both methods are called in any thread, many at a time. `decrypt` raises, whatever it likes, for
    bytes that another key has encrypted, or that somebody has changed.
    """

    def encrypt(self, data: bytes, /) -> bytes:
        """Returns these bytes, encrypted."""
        ...

    def decrypt(self, data: bytes, /) -> bytes:
        """Returns what was encrypted."""
        ...


class UnreadableError(Exception):
    """A value of a job is encrypted, and nothing here can decrypt it."""


UNREADABLE = (
    "its values are encrypted, and this process has no key that decrypts them: give "
    "App(cipher=...) the key they were encrypted with"
)
"""What is said of a job, or of a schedule, whose values cannot be decrypted here."""


def is_encrypted(text: str) -> bool:
    """Returns whether a JSON text is an encrypted one: an object with one text, of one name."""
    return _sealed(text) is not None


def check_readable(text: str, what: str) -> None:
    """Raise `CipherError` for a JSON text that is encrypted, and could not be decrypted here.

    Args:
        text: what a store has given.
        what: what it is, for the message, such as "The result of job 7".
    """
    if is_encrypted(text):
        raise CipherError(f"{what} cannot be read: {UNREADABLE}")


def encrypted(text: str, cipher: Cipher) -> str:
    """Returns a JSON text as it is stored: as a JSON object with one text.

    Bytes become the characters of the same number: what Fernet returns stays as it is. A text that
    is encrypted already, and cannot be decrypted here, stays so: whoever cannot read it may pass it
    on. One that can be decrypted was not read here, but made: it is a value as any other.

    Raises:
        CipherError: the cipher does not encrypt it.
    """
    if text in _EMPTY or (is_encrypted(text) and decrypted(text, cipher) == text):
        return text
    data = text.encode()
    try:
        made = cipher.encrypt(data).decode("latin-1")
    except Exception as error:
        raise CipherError(
            f"{type(cipher).__name__}.encrypt() raised {type(error).__name__}: {error}. The value "
            f"is not stored: App(cipher=...) has to encrypt what is given to it"
        ) from error
    return json.dumps({_NAME: made}, ensure_ascii=False, separators=(",", ":"))


def decrypted(text: str, cipher: Cipher) -> str:
    """Returns a stored text as it was; as it stands, if it is not encrypted or cannot be read."""
    sealed = _sealed(text)
    if sealed is None:
        return text
    try:
        return cipher.decrypt(sealed.encode("latin-1")).decode()
    except Exception:  # noqa: BLE001 - a cipher raises what it likes
        return text


def _sealed(text: str) -> str | None:
    """Returns what a cipher has made, of a JSON text that is encrypted; None: it is not."""
    if not text.startswith(_BEGINNING):
        return None
    try:
        data = cast("dict[str, Any]", json.loads(text))
    except (ValueError, RecursionError):  # it is damaged, and no JSON; or nothing of ours
        return None
    [first, *others] = data.values()
    return first if isinstance(first, str) and not others else None
