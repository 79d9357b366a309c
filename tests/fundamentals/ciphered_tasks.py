"""The tasks of apps with a cipher: of all kinds whose values are stored."""

import rotulus.workflow as wf
from rotulus import JobOutcome, TaskRegistry, task

CANARY = "Zqx7Vkw9Jpt"
"""A text that stands nowhere else."""


def declared():
    """A registry with tasks of all kinds."""
    registry = TaskRegistry()

    @task("greet", registry=registry)
    def greet(name: str, needs: str = "") -> str:
        return f"hello {name}"

    @task("refuse", registry=registry)
    def refuse(name: str) -> None:
        raise RuntimeError("no")

    @task("together", registry=registry)
    def together(outcomes: list[JobOutcome]) -> list[str]:
        return [f"{one.arguments['name']} {one.result}" for one in outcomes]

    with wf.WorkflowBuilder("flow", registry=registry):

        @wf.task(id="ask")
        def ask(context):
            return {"asked": context["name"] + str(context["count"])}

        @wf.task(id="answer", dependencies=["ask"])
        def answer(context):
            return {"answered": context["asked"].upper()}

    with wf.WorkflowBuilder("inner", registry=registry):

        @wf.task(id="louder")
        def louder(context):
            context["loud"] = context["asked"] + "!"

    with wf.WorkflowBuilder("outer", registry=registry) as outer:

        @wf.task(id="list")
        def make_list(context):
            return {"names": [f"{context['name']}{n}" for n in range(3)], "asked": context["name"]}

        @wf.task(id="each", dependencies=["list"], for_each="names")
        def each(context):
            return f"{context['item']} of {context['name']}"

        outer.add_task("inner", dependencies=["each"])

    return registry
