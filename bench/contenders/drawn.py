"""A run of very many steps, in the console of a service on `$BENCH_URL`."""

import contender
import served
from browsing import Seen

import rotulus.workflow as wf
from rotulus import App, TaskRegistry

STEPS, WIDE = 300, 20
"""How many steps the run has, and how many of them need nothing; each other needs one or two."""

registry = TaskRegistry()
app = App(contender.URL, registry=registry)


def step(context):
    """Every step."""
    context["done"] = True


with wf.WorkflowBuilder("wide", registry=registry):
    for number in range(STEPS):
        needs = [f"step{number - WIDE}"] if number >= WIDE else []
        if number > 2 * WIDE and number % 3 == 0:
            needs.append(f"step{number - WIDE - 1}")
        wf.task(id=f"step{number}", dependencies=needs)(step)


class Drawn(contender.Contender):
    """One run, which has ended."""

    def prepare(self):
        app.store.migrate()
        wf.DefaultRunner(contender.URL, registry=registry).submit("wide").wait()

    def work(self):
        from rotulus.service import service_of  # noqa: PLC0415 - not to run steps

        served.serve(service_of(app))

    def screens(self):
        """The run, drawn."""
        [run] = app.runs.find()
        return {"drawn": Seen(f"runs/{run.id}", ".box", STEPS, after="$graph")}


CONTENDER = Drawn()
