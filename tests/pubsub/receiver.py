"""An endpoint that pushes come to: it answers as it is told, and remembers what came."""

import json
import queue
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Receiver:
    """A server on a free port of loopback, for the length of a `with` block.

    Args:
        answers: the statuses of the first answers; the last one is that of all others.
    """

    def __init__(self, *answers):
        self._answers = list(answers or [200])
        self._came = queue.Queue()
        self._lock = threading.Lock()
        self.may_answer = threading.Event()
        self.may_answer.set()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = receiver._next()
                receiver._came.put((dict(self.headers), json.loads(body), self.path))
                receiver.may_answer.wait(30)
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args):
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True

    @property
    def url(self):
        """Where pushes are to go."""
        return f"http://127.0.0.1:{self._server.server_port}/tasks/pubsub/"

    def next(self, timeout=20):
        """The headers, the body and the path of the next push."""
        return self._came.get(timeout=timeout)

    def no_more(self, timeout=1.5):
        """Whether no other push comes for a while."""
        try:
            self._came.get(timeout=timeout)
        except queue.Empty:
            return True
        return False

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *error):
        self.may_answer.set()
        self._server.shutdown()
        self._server.server_close()

    def _next(self):
        with self._lock:
            return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
