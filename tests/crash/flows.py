"""The workflows that crash tests run: random ones, from a seed, and a wide one."""

import os
import random
import threading

from factory import app, mark

import rotulus.workflow as wf
from fundamentals.dags import declare, draw
from rotulus import Job

app = app  # noqa: PLW0127 - the workers are started on this module


def note(word, job, context):
    """Tell the ledger, and take a moment."""
    mark(word, job.run, job.step, job.attempt, os.getpid())
    if word == "begin":
        threading.Event().wait(0.01)


def plans(seed):
    """Some random workflows, the same in every process."""
    chance = random.Random(seed)
    return {f"flow{n}": draw(chance, chance.randint(2, 40)) for n in range(6)}


for _name, _plans in plans(int(os.environ.get("FLOWS", "1"))).items():
    declare(_name, _plans, app.registry, note)

with wf.WorkflowBuilder("wide", registry=app.registry):

    @wf.task(id="each", for_each="items")
    def each(context, job: Job):
        mark("begin", job.run, job.step, job.attempt, os.getpid())
        return context["item"] * 10

    @wf.task(id="sum", dependencies=["each"])
    def add(context):
        context.set("sum", sum(context["each"]))
