"""The ASGI scope of a request: one header, and the path, within the application and for the client.

A header is looked up quickly, also a missing one: `request.headers.get(...)` raises and catches an
error for each header that is not there.
"""

from typing import cast
from urllib.parse import quote

from starlette.requests import HTTPConnection
from starlette.types import Scope


def header(connection: HTTPConnection, name: bytes) -> str | None:
    """Returns the value of a header, the first of several; None when there is none.

    Args:
        connection: the request.
        name: the name of the header, in small letters.
    """
    for found, value in connection.scope["headers"]:
        if found == name:
            text: str = value.decode("latin-1")
            return text
    return None


_SAFE = "/$:@!'()*+,;=&~"
"""Characters that stand in a path unquoted, which is shorter and readable."""


def root_of(scope: Scope) -> str:
    """Returns the beginning of every path of the application for a client; "" without a prefix.

    A prefix is the mount point of the application, or the part that a proxy removes. It has at most
    one slash in front: with two, a link would lead to another host. It can stand in a header as it
    is.
    """
    root = quote(cast("str", scope.get("root_path", "")).strip("/"), safe=_SAFE)
    return f"/{root}" if root else ""


def path_within(scope: Scope) -> str:
    """Returns the path of a request without the prefix, which a server keeps in the path."""
    path, root = cast("str", scope["path"]), cast("str", scope.get("root_path", ""))
    inside = root and (path + "/").startswith(root.rstrip("/") + "/")
    return path[len(root.rstrip("/")) :] if inside else path


def path_outside(scope: Scope) -> str:
    """Returns the path of a request as its client can request it again, fit for a header."""
    return root_of(scope) + quote(path_within(scope), safe=_SAFE)
