"""A workflow that waits at a gate, and of which a step can be broken, for the tests of the console."""

from threading import Event

from rotulus import App, TaskRegistry
from rotulus.service import ServiceBuilder, ServiceInfo
from rotulus.workflow import WorkflowBuilder
from rotulus.workflow import task as step


class Mill:
    """An app with a workflow that waits at a gate, and of which a step can be broken."""

    def __init__(self, url):
        self.gate, self.broken = Event(), True
        registry = TaskRegistry()
        with WorkflowBuilder("etl", registry=registry) as builder:
            builder.description("Load what is there.")

            @step(id="fetch")
            def fetch(context):
                context.set("rows", [1, 2, 3])
                return context

            @step(id="parse", dependencies=["fetch"], for_each="rows")
            def parse(context):
                self.gate.wait(30)
                return context

            @step(id="load", dependencies=["parse"])
            def load(context):
                if self.broken:
                    raise RuntimeError("the table is locked")
                return context

        self.app = App(url, registry=registry)

    def service(self, *, worker=True):
        """Returns the service, with the console."""
        builder = ServiceBuilder(info=ServiceInfo(display_name="Mill"), app=self.app)
        builder = builder.with_console().with_tasks().with_system()
        return (builder.with_worker(slots=4) if worker else builder).build()
