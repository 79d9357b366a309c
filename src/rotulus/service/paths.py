"""Where a request has come to: within the application, and as the client wrote it."""

from typing import cast
from urllib.parse import quote

from starlette.types import Scope

_SAFE = "/$:@!'()*+,;=&~"
"""What a path may have in it as it is, and should: it is shorter, and can be read."""


def root_of(scope: Scope) -> str:
    """What every path of the application begins with for a client; empty without a prefix.

    A prefix is where the application was mounted, or what a proxy takes away. It has one slash at
    most in front: with two, a link would lead to another host. It can stand in a header as it is.
    """
    root = quote(cast("str", scope.get("root_path", "")).strip("/"), safe=_SAFE)
    return f"/{root}" if root else ""


def path_within(scope: Scope) -> str:
    """The path of a request without that prefix: a server leaves it there, a proxy need not."""
    path, root = cast("str", scope["path"]), cast("str", scope.get("root_path", ""))
    inside = root and (path + "/").startswith(root.rstrip("/") + "/")
    return path[len(root.rstrip("/")) :] if inside else path


def path_outside(scope: Scope) -> str:
    """The path of a request as its client can ask for it again; it can stand in a header."""
    return root_of(scope) + quote(path_within(scope), safe=_SAFE)
