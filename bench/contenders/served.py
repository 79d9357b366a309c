"""Serves an application over HTTP: one process of uvicorn, as it comes, without an access log."""

import socket

import contender
import uvicorn

PREFIX = "/api/v1/tasks"
"""The beginning of the paths of tasks."""


def serve(app):
    """Serve an application on a free port of this machine, which a file tells, until SIGTERM."""
    # With the protocol named asyncio sends small answers at once, as on a socket of its own.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(2048)
        contender.PORT.write_text(str(listener.getsockname()[1]))
        config = uvicorn.Config(app, access_log=False, log_level="warning")
        uvicorn.Server(config).run([listener])
