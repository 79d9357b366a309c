"""Groups on the command line: closed, sent back, and told how; and options that are given twice."""

import pytest

from doors.shops import BOTH, opened
from rotulus.testing import drain

pytestmark = pytest.mark.anywhere

SOURCE = """
from rotulus import App, JobOutcome, TaskRegistry, task
registry = TaskRegistry()
app = App("sqlite:///shop.db", registry=registry)

@task(registry=registry)
def parse(line: str) -> int:
    return int(line)

@task(registry=registry)
def report(outcomes: list[JobOutcome]) -> int:
    return len(outcomes)
"""


@pytest.fixture(params=BOTH)
def shop(request, tmp_path):
    """A shop with tasks."""
    with opened(tmp_path, SOURCE, request.param) as made:
        yield made
        made.app.close()


@pytest.fixture
def group(shop):
    """An open group whose name has a space, and of whose two jobs one has failed."""
    tasks = shop.app.registry
    group = shop.app.group("import 7", then=tasks.get("report")).open()
    tasks.get("parse").using(group=group).enqueue_many(["1", "two"])
    drain(shop.app)
    return group


def test_a_group_is_closed_once_and_then_it_is_said_that_it_was(shop, group):
    """Also when it has ended: nothing is closed, and no job runs."""
    assert "Closed group 'import 7': report runs" in shop("close", "import 7")
    assert "Group 'import 7' was closed already" in shop("close", "import 7")
    drain(shop.app)
    said = shop("close", "import 7")
    assert f"The job of its callback report, {group.id}, succeeded." in said
    assert "Closed" not in said


def test_the_command_that_closes_a_group_can_be_copied(shop, group):
    """A name with a space is one word of it."""
    assert "rotulus close 'import 7'" in shop("why", group.id)


def test_a_group_that_stays_as_it_is_says_how_its_jobs_are_sent_back(shop, group):
    """A job that failed has not made the group fail, so there is nothing to retry of that."""
    shop("close", "import 7")
    drain(shop.app)
    assert "0 jobs sent back" in shop("retry", group.id)
    hint = (
        f"succeeded: it stays as it is. Of its jobs, 1 went wrong: rotulus retry --run {group.id}"
    )
    assert hint in shop.err
    assert "1 job sent back" in shop("retry", "--run", group.id, "--yes")
    assert "blocked" == shop.app.get(group.id).state


@pytest.mark.parametrize(
    ("option", "first", "then"),
    [("--label", "customer=7", "customer=8"), ("--args", "line=1", "line=2")],
)
def test_two_values_for_one_name_are_refused(shop, group, option, first, then):
    """The jobs of the second would be deleted, and those of the first be left."""
    shop("delete", option, first, option, then, "--yes", code=2)
    assert "is given twice" in shop.err
    shop("delete", option, first, option, first, "--yes")
    assert 3 == shop.app.jobs.count(run=group.id)


def test_a_dry_run_that_finds_nothing_says_what_there_is(shop, group):
    """As the command does that means it."""
    assert "Would cancel 0 jobs." in shop("cancel", "--task", "prase", "--dry-run")
    assert "did you mean 'parse'?" in shop.err


def test_an_interval_is_written_as_lengths_of_time_are_elsewhere(shop):
    """In minutes and hours, too."""
    shop("schedule", "add", "often", "parse", "line=1", "--every", "90min", "--spread", "1min")
    made = shop.app.schedules.get("often").schedule
    assert ("@every 5400s", 60) == (made.cron, made.spread)
    shop("schedule", "set", "often", "--every", "soon", code=2)
    assert "'soon' is no length of time: write 90 (seconds), 15min, 2h or 7d" in shop.err


def test_of_several_schedules_of_which_one_is_not_there_nothing_is_done(shop):
    """And it is said so."""
    shop("schedule", "add", "often", "parse", "line=1", "--every", "60")
    shop("schedule", "pause", "nope", "often", code=5)
    assert "Nothing was done." in shop.err
    assert "active" == shop.app.schedules.get("often").state
    assert "Removed often.\n" == shop("schedule", "remove", "often", "often")
