"""An assistant looks into an app by the Model Context Protocol: `rotulus mcp`. Extra `mcp`."""

from rotulus.mcp.server import make_server, serve_app, serve_url
from rotulus.mcp.tools import Tool, tools_of

__all__ = ["Tool", "make_server", "serve_app", "serve_url", "tools_of"]
