"""Labels and headers of jobs: what is allowed, and the JSON texts in which they are stored."""

import re
import reprlib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, cast

from rotulus._text import jsontext
from rotulus._text.names import is_storable
from rotulus.errors import OptionError

Texts = Mapping[str, str]
"""Texts by name."""

MOST_LABELS = 16
"""How many labels a job has at most, whoever gave them to it."""

LONGEST_LABEL_NAME = 63
LONGEST_LABEL = 200
"""Characters of a label's text."""

MOST_HEADER_BYTES = 4096
"""How long the headers of a job are at most, as JSON."""

NO_TEXTS: Texts = MappingProxyType({})

_NAME = re.compile(rf"[A-Za-z0-9_./-]{{1,{LONGEST_LABEL_NAME}}}")


class Attached(NamedTuple):
    """What a job carries beside its arguments, as JSON texts; None for nothing.

    Attributes:
        labels: words by which people find it.
        headers: texts that travel with it for machines.
    """

    labels: str | None = None
    headers: str | None = None


NOTHING_ATTACHED = Attached()


def check_labels(value: object, option: str) -> Texts:
    """Returns labels, sorted by name. Raises `OptionError`."""
    labels = _texts(value, option, '{"customer": "7"}')
    for name, text in labels.items():
        if not text or len(text) > LONGEST_LABEL or not text.isprintable():
            raise OptionError(
                f"{option}={{{name!r}: {reprlib.repr(text)}}} is not allowed: a label is printable "
                f"text of 1 to {LONGEST_LABEL} characters"
            )
    if len(labels) > MOST_LABELS:
        raise OptionError(
            f"{option} would be {len(labels)} labels, which is not allowed: a job has at most "
            f"{MOST_LABELS}. Longer lists belong into its arguments"
        )
    return labels


def check_headers(value: object, option: str) -> Texts:
    """Returns headers, sorted by name. Raises `OptionError`."""
    headers = _texts(value, option, '{"traceparent": "00-..."}')
    for name, text in headers.items():
        if not is_storable(text):
            raise OptionError(
                f"{option}={{{name!r}: {reprlib.repr(text)}}} is not allowed: a NUL or half of a "
                f"character cannot be stored"
            )
    size = _size(headers)
    if size > MOST_HEADER_BYTES:
        raise OptionError(
            f"{option} would be {size:,} bytes, which is not allowed: headers have at most "
            f"{MOST_HEADER_BYTES:,} bytes as JSON. What is larger belongs into the arguments"
        )
    return headers


def united(first: Texts | None, then: Texts) -> Texts:
    """Returns both; the later one counts where both have a name."""
    return then if not first else {**first, **then}


def write_texts(texts: Texts | None) -> str | None:
    """Returns texts as JSON, sorted by name; None when there are none."""
    return jsontext.encode_plain(dict(sorted(texts.items()))) if texts else None


def read_texts(text: str | None) -> dict[str, str]:
    """Returns the texts of a JSON text."""
    return jsontext.decode(text) if text else {}


def inherited(own: Attached, run: Attached) -> Attached:
    """Returns what a step has: what its run has, and what its task declares, as far as it fits.

    A step has no more than any job may have. What its run has comes first: people and middleware
    gave it to this run, and it is the same in all steps.
    """
    if run in (NOTHING_ATTACHED, own):
        return own
    return Attached(
        _over(own.labels, run.labels, lambda labels: len(labels) <= MOST_LABELS),
        _over(own.headers, run.headers, lambda headers: _size(headers) <= MOST_HEADER_BYTES),
    )


def _over(below: str | None, above: str | None, fits: Callable[[Texts], bool]) -> str | None:
    if below is None or above is None:
        return above or below
    texts: Texts = read_texts(above)
    for name, text in read_texts(below).items():
        more = {name: text, **texts}
        texts = more if fits(more) else texts
    return write_texts(texts)


def _size(headers: Texts) -> int:
    """Returns how many bytes headers are as JSON."""
    return len((write_texts(headers) or "").encode())


def _texts(value: object, option: str, example: str) -> Texts:
    if not isinstance(value, Mapping):
        raise OptionError(
            f"{option}={reprlib.repr(value)} is not allowed: give texts by name, such as {example}"
        )
    given = cast("Mapping[Any, Any]", value)
    for name, text in given.items():
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise OptionError(
                f"{option} has the name {reprlib.repr(name)}, which is not allowed: use letters, "
                f"digits and '_./-' (at most {LONGEST_LABEL_NAME} characters)"
            )
        if not isinstance(text, str):
            raise OptionError(
                f"{option}={{{name!r}: {reprlib.repr(text)}}} is not allowed: give a text, not "
                f"a {type(text).__name__}, such as {example}"
            )
    return MappingProxyType(dict(sorted(cast("Texts", given).items())))
