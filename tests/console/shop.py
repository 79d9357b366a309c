"""A shop whose jobs succeed, fail, wait and say hostile things, for the tests of the console."""

import logging
from threading import Event

from rotulus import INJECTED, App, Job, TaskRegistry, task
from rotulus.service import ServiceBuilder, ServiceInfo

HOSTILE = "<img src=x onerror=\"document.title='owned'\"></script><b>\u202eevil\u0000 {{7*7}} ${1}"
"""A text that runs, or breaks a page, if it is taken for anything but text."""

log = logging.getLogger("shop")


class Shop:
    """An app with the tasks of a shop.

    Args:
        url: where its jobs live.
        environment: the name of the environment.
    """

    def __init__(self, url, environment="staging"):
        registry = TaskRegistry()
        self.gate = Event()

        @task(name="mail.send", queue="mail", registry=registry)
        def send(to: str, size: int = 0) -> dict[str, object]:
            """Send one mail."""
            log.info("connecting for %s", to)
            return {"to": to, "size": 9007199254740993}

        @task(name="mail.fail", queue="mail", registry=registry)
        def fail(message: str) -> None:
            """Raise an error."""
            raise RuntimeError(message)

        @task(name="report", queue="reports", registry=registry)
        def report(job: Job = INJECTED) -> str:
            """Wait at the gate."""
            job.progress(3, 10, "page 3")
            self.gate.wait(30)
            return "done"

        self.send, self.fail, self.report = send, fail, report
        self.app = App(url, registry=registry, environment=environment)

    def service(self, *, worker=True):
        """Returns the service of the shop, with the console, and a worker unless told otherwise."""
        builder = ServiceBuilder(info=ServiceInfo(display_name="Shop"), app=self.app)
        builder = builder.with_console().with_tasks().with_system()
        return (builder.with_worker(slots=2) if worker else builder).build()
