"""A workflow with a schedule is a scheduled task, and its firing a run."""

import pytest

import rotulus.workflow as wf
from rotulus.errors import OptionError
from rotulus.testing import drain


def test_a_scheduled_workflow_is_run_once_for_each_moment(still_app, clock):
    """Its steps come with it."""
    seen = []
    builder = wf.WorkflowBuilder("nightly", registry=still_app.registry)
    with builder.schedule("30 6 * * *", "Europe/London"):

        @wf.task()
        def load(context):
            seen.append(context.to_dict())

    duties = still_app._own.worker_runs.duties(still_app.store)
    [scheduling] = [duty for duty in duties if duty.name == "schedule"]
    scheduling.tick(clock.now())
    clock.advance(24 * 3600)
    scheduling.tick(clock.now())
    scheduling.tick(clock.now())
    drain(still_app)

    assert [{}] == seen
    [run] = still_app.jobs(schedule="nightly")
    assert ("succeeded", "load") == (run.state, still_app.jobs(run=run.id, step="load")[0].step)


def test_a_schedule_that_is_none_is_refused_on_its_line(registry):
    """With what is wrong."""
    with pytest.raises(OptionError, match="Mars"):
        wf.WorkflowBuilder("nightly", registry=registry).schedule("30 6 * * *", "Mars/Base")


def test_version_knows_the_schedule(registry):
    """Another schedule is another workflow."""

    def built(cron):
        builder = wf.WorkflowBuilder("nightly", registry=registry).schedule(cron)
        return builder.add_task(wf.task(id="a")(lambda context: None)).build()

    assert built("0 6 * * *").version != built("0 7 * * *").version
