"""The path of a request: within the application, and as the client wrote it."""

from typing import cast
from urllib.parse import quote

from starlette.types import Scope

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
