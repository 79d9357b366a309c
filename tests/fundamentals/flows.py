"""Functions for steps, and what is asked of runs, in tests of workflows."""


def states(run):
    """How the steps of a run stand, by their paths: a state, and a reason if it ended by one."""
    return {
        job.step: f"{job.state}({job.reason})" if job.reason else str(job.state)
        for job in run.steps(parts=True)
    }


def final(run):
    """The final context of a run."""
    return run.wait(0).final_context.to_dict()


def put(**values):
    """A step that sets these."""

    def step(context):
        context.update_from_dict(values)

    return step


def fail(context):
    raise ValueError("no")
