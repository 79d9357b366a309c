"""The built files of the console, with what a browser is to be told of each of them."""

import gzip
import hashlib
import mimetypes
import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from html import escape
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

BUILT = Path(__file__).parent / "static"
"""Where `make console` puts the files."""

_UNBUILT = Path(__file__).parent / "unbuilt.html"

_HASHED = re.compile(r"assets/[\w.-]+-[\w-]{8,}\.\w+")
"""A name that changes with what the file holds."""

_OWN = re.compile(r"""(?<=")\./""")
"""The beginning of an address in the page."""

_FOR_EVER = "public, max-age=31536000, immutable"
_ASK_AGAIN = "no-cache"

_TYPES = MappingProxyType(
    {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
)

PAGE_HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "Content-Security-Policy": (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
            "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
            "require-trusted-types-for 'script'; trusted-types 'none'"
        ),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        "Referrer-Policy": "no-referrer",
    }
)
"""What a browser lets the page do: load what this server sends, and nothing else."""

FILE_HEADERS: Mapping[str, str] = MappingProxyType(
    {"X-Content-Type-Options": "nosniff", "Cross-Origin-Resource-Policy": "same-origin"}
)
"""The headers of every file."""


class ConsoleFile(NamedTuple):
    """A file, as it is sent.

    Attributes:
        content: what it holds.
        media_type: what it is.
        cache_control: how long a browser may keep it.
        headers: further headers.
        zipped: the same for browsers that take gzip.
    """

    content: bytes
    media_type: str
    cache_control: str
    headers: Mapping[str, str]
    zipped: bytes

    @property
    def etag(self) -> str:
        """Returns what a browser sends in `If-None-Match` to ask whether it has changed."""
        return f'W/"{hashlib.sha256(self.content).hexdigest()[:20]}"'


class ConsoleFiles:
    """The files of the console, read once. Any framework can send them.

    Args:
        folder: where they are.
    """

    def __init__(self, folder: Path = BUILT) -> None:
        self._folder = folder

    @cached_property
    def is_built(self) -> bool:
        """Whether the files are there: a checkout has none before `make console`."""
        return (self._folder / "index.html").is_file()

    @cached_property
    def assets(self) -> Mapping[str, ConsoleFile]:
        """Returns everything but the page, by its path below the folder."""
        found = sorted(path for path in self._folder.rglob("*") if path.is_file())
        named = {path.relative_to(self._folder).as_posix(): path for path in found}
        return {name: _read(name, path) for name, path in named.items() if name != "index.html"}

    def page(self, api: str, depth: int = 0, reads: Sequence[str] = ()) -> ConsoleFile:
        """Returns the page, which is the same for every screen but for what is read at once.

        All addresses in it are relative, so it is right behind any proxy and under any mount.

        Args:
            api: where the API is, relative to the beginning of the console: `"../api/v1/"`.
            depth: how many slashes the path of the screen has below that beginning.
            reads: what the screen reads first, as addresses below that of the API: the browser
                asks for it while the scripts come.
        """
        text = _OWN.sub("../" * depth, self._page) if depth else self._page
        place = "../" * depth + "%api%"
        asked = (
            f'<link rel="preload" as="fetch" crossorigin href="{place}{one}">\n' for one in reads
        )
        text = text.replace("</head>", "".join([*asked, "</head>"]))
        text = text.replace("%api%", escape(api))
        content = text.encode()
        headers = {**FILE_HEADERS, **PAGE_HEADERS}
        return ConsoleFile(content, "text/html; charset=utf-8", _ASK_AGAIN, headers, _zip(content))

    @cached_property
    def _page(self) -> str:
        path = self._folder / "index.html" if self.is_built else _UNBUILT
        return path.read_text(encoding="utf-8")


def _read(name: str, path: Path) -> ConsoleFile:
    content = path.read_bytes()
    kind = _TYPES.get(path.suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    kept = _FOR_EVER if _HASHED.fullmatch(name) else _ASK_AGAIN
    return ConsoleFile(content, kind, kept, FILE_HEADERS, _zip(content))


def _zip(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)
