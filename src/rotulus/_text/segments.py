"""Segments of paths of URLs: a name or an id as one of them."""

from urllib.parse import quote


def path_segment(text: str, safe: str = "") -> str:
    """Returns a text as one segment of a path.

    The segments `.` and `..` mean other paths, and clients leave them out: their dots are written
    as `%2E`.

    Args:
        text: the name or the id.
        safe: characters that stand as they are.

    Raises:
        UnicodeEncodeError: the text holds a lone surrogate.
    """
    return text.replace(".", "%2E") if text in {".", ".."} else quote(text, safe=safe)
