"""An assistant looks into an app by the Model Context Protocol: `rotulus mcp`.

Each name is imported when it is first used, as those of `rotulus` are. It needs the extra:
`pip install 'rotulus[mcp]'`.
"""

from typing import TYPE_CHECKING

from rotulus._lazy import lazy

if TYPE_CHECKING:
    from rotulus.mcp.server import make_server, serve_app, serve_url
    from rotulus.mcp.tools import Tool, tools_of

__all__ = ["Tool", "make_server", "serve_app", "serve_url", "tools_of"]

_HOMES = {
    "rotulus.mcp.server": ("make_server", "serve_app", "serve_url"),
    "rotulus.mcp.tools": ("Tool", "tools_of"),
}
"""Where each public name is defined."""

_EXTRA = {
    "fastapi": "mcp",
    "httpx2": "mcp",
    "mcp": "mcp",
    "mcp_types": "mcp",
    "starlette": "mcp",
}
"""The extra of each package."""

__getattr__ = lazy(__name__, _HOMES, _EXTRA)


def __dir__() -> list[str]:
    return list(__all__)
