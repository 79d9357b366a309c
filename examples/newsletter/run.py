"""Runs the newsletter on this machine: the page, and the worker of its tasks.

python run.py             a worker runs them
python run.py --push      Google Pub/Sub pushes them to the page's own server; emulated here
"""

import argparse
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

MANAGE = [sys.executable, str(Path(__file__).with_name("manage.py"))]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run it until Ctrl-C."""
    parser = argparse.ArgumentParser(description="A newsletter, on Django.")
    parser.add_argument("--port", type=int, default=8000, help="0: any that is free")
    parser.add_argument("--push", action="store_true", help="let Pub/Sub push, without a worker")
    asked = parser.parse_args(arguments)
    port = asked.port or free_port()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ["NEWSLETTER_BACKEND"] = "pubsub" if asked.push else "database"
    with ExitStack() as stack, suppress(KeyboardInterrupt):
        if asked.push:
            stack.enter_context(google(port))
        manage("migrate", "--verbosity", "0")
        if asked.push:
            manage("provision_tasks", "--force")
        else:
            stack.enter_context(running("rotulus_worker"))
        server = running("runserver", f"127.0.0.1:{port}", "--noreload")
        waited = stack.enter_context(server)
        print(f"The newsletter: http://127.0.0.1:{port}/   (Ctrl-C ends it)", flush=True)
        waited.wait()


@contextmanager
def google(port: int) -> Iterator[None]:
    """Emulate Google for the length of a block; child processes find it by their environment."""
    from rotulus.pubsub import FakeGoogle  # noqa: PLC0415 - it needs rotulus[gcp]

    account = "pubsub-invoker@newsletter-dev.iam.gserviceaccount.com"
    os.environ |= {
        "GCP_PROJECT_ID": "newsletter-dev",
        "TASKS_SERVICE_ACCOUNT": account,
        "CLOUD_RUN_SERVICE_URL": f"http://127.0.0.1:{port}",
    }
    with FakeGoogle() as fake:
        os.environ |= fake.environment
        yield


def manage(*words: str) -> None:
    """Run a command of Django to its end."""
    subprocess.run([*MANAGE, *words], check=True)


@contextmanager
def running(*words: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a command of Django for the length of a block."""
    process = subprocess.Popen([*MANAGE, *words])
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


if __name__ == "__main__":
    main()
