"""Applications on a real server of this machine."""

import socket
import threading
from contextlib import contextmanager

import uvicorn


def opened():
    """A socket that listens on a free port of loopback: who comes early waits."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    return listener


@contextmanager
def listening(application, listener):
    """Serve an application at a socket; its port."""
    with listener:
        server = uvicorn.Server(uvicorn.Config(application, log_config=None, lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()
