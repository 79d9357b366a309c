"""`rotulus ls jobs --count-by`: how many jobs there are of each error, task, queue or worker."""

import json

import pytest

from doors.shops import BOTH, opened
from doors.test_cli_failures import SOURCE
from rotulus.testing import drain

pytestmark = pytest.mark.anywhere


@pytest.fixture(params=BOTH)
def shop(request, tmp_path):
    """A shop in which three jobs failed in two ways, and one waits."""
    with opened(tmp_path, SOURCE, request.param) as made:
        for words in (["fail", "one"], ["fail", "two"], ["mail.send"]):
            made("enqueue", *words)
        drain(made.app)
        made("enqueue", "mail.send")
        yield made
        made.app.close()


def test_jobs_are_counted_in_place_of_being_listed(shop):
    """The most first, with the last job of each; filters hold."""
    lines = shop("ls", "jobs", "--count-by", "error", "--state", "failed").splitlines()
    last = shop.app.jobs.find(task="fail", limit=1)[0]

    assert lines[0].split()[:2] == ["error", "jobs"]
    assert [last.error.fingerprint, "2"] == lines[1].split()[:2]
    assert last.id in lines[1]
    assert "ValueError: two" in lines[1]
    assert 3 == len(lines)


def test_counts_are_told_to_programs(shop):
    """One object a line, as every list."""
    told = map(json.loads, shop("ls", "jobs", "--count-by", "task", "--json").splitlines())

    assert {"fail": 2, "mail.send": 2} == {one["value"]: one["count"] for one in told}
    assert "" == shop("ls", "jobs", "--count-by", "task", "--state", "dead")
    assert "No such jobs" in shop.err
    shop("ls", "jobs", "--count-by", "task", "--after", "x", code=2)
    assert "--count-by counts the last jobs" in shop.err
