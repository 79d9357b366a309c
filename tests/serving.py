"""Serves an application on a free port of this machine, from a thread."""

import socket
import threading
from contextlib import contextmanager

import uvicorn


@contextmanager
def served(application):
    """A server of an application; `server.address` is where."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    ends = {"lifespan": "off", "timeout_graceful_shutdown": 5}
    server = uvicorn.Server(uvicorn.Config(application, log_level="warning", **ends))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    server.address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    try:
        yield server
    finally:
        server.should_exit = True
        thread.join(30)
        listener.close()
