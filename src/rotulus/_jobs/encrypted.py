"""Encrypted values of jobs: what encrypts them, how they are stored, and how they are read."""

import json
from typing import Protocol, runtime_checkable

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
    """Returns whether a JSON text is an encrypted one."""
    return text.startswith(_BEGINNING)


def encrypted(text: str, cipher: Cipher) -> str:
    """Returns a JSON text as it is stored: as a JSON object with one text.

    Bytes become the characters of the same number: what Fernet returns stays as it is. A text that
    is encrypted already stays so: whoever cannot read it may pass it on.
    """
    if text in _EMPTY or is_encrypted(text):
        return text
    made = cipher.encrypt(text.encode()).decode("latin-1")
    return json.dumps({_NAME: made}, ensure_ascii=False, separators=(",", ":"))


def decrypted(text: str, cipher: Cipher) -> str:
    """Returns a stored text as it was; as it stands, if it is not encrypted or cannot be read."""
    if not is_encrypted(text):
        return text
    try:
        return cipher.decrypt(json.loads(text)[_NAME].encode("latin-1")).decode()
    except Exception:  # noqa: BLE001 - a cipher raises what it likes
        return text
