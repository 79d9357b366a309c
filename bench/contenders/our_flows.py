"""Workflows of Rotulus, with the runner and the settings they come with."""

import contender

import rotulus.workflow as wf

with wf.WorkflowBuilder("chain") as builder:
    for link in range(contender.LINKS):
        before = [f"link{link - 1}"] if link else []

        @wf.task(id=f"link{link}", dependencies=before)
        def add_one(context):
            context["number"] = context.get("number", 0) + 1


with wf.WorkflowBuilder("fan"):

    @wf.task(id="each", for_each="items")
    def each(context):
        return context["item"] + 1

    @wf.task(id="total", dependencies=[each])
    def total(context):
        context["total"] = sum(context["each"])


class OurFlows:
    """A worker in this program runs the steps; their contexts are kept, and all rows."""

    def launch(self):
        self._runner = wf.DefaultRunner(contender.URL)

    def chain(self):
        return self._runner.submit("chain"), "number"

    def fan(self, count):
        return self._runner.submit("fan", {"items": list(range(count))}), "total"

    def result(self, run):
        run, key = run
        return run.wait().final_context[key]
