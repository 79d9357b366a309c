"""`rotulus limits`: who holds the keys of limits, and what is set for them."""

import json

import pytest

from doors.shops import BOTH, opened
from doors.test_cli import lines
from rotulus.store import ClaimFilter

pytestmark = pytest.mark.anywhere

SOURCE = """
from rotulus import App, TaskRegistry, task

registry = TaskRegistry()

@task(registry=registry, limit=1, rate=90, per=60, limit_key="tenant:{tenant}")
def crunch(tenant: str): ...

app = App("sqlite:///shop.db", registry=registry)
"""


@pytest.fixture(params=BOTH)
def shop(request, no_settings, tmp_path, monkeypatch):
    """An app of which one job runs and two wait, and the program run on it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    with opened(tmp_path, SOURCE, request.param) as made:
        made("migrate")
        for _ in range(3):
            made.app.enqueue("crunch", tenant="7")
        made.app.store.claim(ClaimFilter("w"), 9, 30.0)
        yield made
        made.app.close()


def test_a_limit_is_set_and_unset(shop):
    """What is set is said with how many run and wait; the list has both."""
    assert "tenant:7" in shop("limits")
    assert "90 in 60 s" in shop("limits")
    said = shop("limits", "set", "tenant:7", "--limit", "3", "--rate", "100/min")
    assert "Set tenant:7: 3 at once and 100 in 60 s. 1 job of it run, 2 wait." in said
    assert 2 == len(shop.app.store.claim(ClaimFilter("w"), 9, 30.0))
    [row] = map(json.loads, lines(shop("limits", "--json")))
    assert (3, 100, 60.0, 1, 90) == (
        *(row["limit"], row["rate"], row["per"], row["code_limit"], row["code_rate"]),
    )
    assert ("tenant:7", 3, 0, ["crunch"], 3) == (
        *(row["key"], row["running"], row["waiting"], row["tasks"], len(row["holders"])),
    )
    assert row["set_at"]
    assert row["set_by"]
    assert row["set_by"].partition("@")[0] in shop("limits")

    told = json.loads(shop("limits", "unset", "tenant:7", "--json"))
    assert (1, 90, None, None) == (told["limit"], told["rate"], told["set_at"], told["set_by"])


def test_none_starts_after_0(shop):
    """Nor is that taken for nothing."""
    shop("limits", "set", "tenant:7", "--limit", "0")

    assert 0 == shop.app.limits.get("tenant:7").limit
    assert [] == shop.app.store.claim(ClaimFilter("w"), 9, 30.0)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("set", "tenant:7"), "Give --limit or --rate; 'rotulus limits unset tenant:7'"),
        (("set", "tenant:7", "--limit", "many"), "many"),
        (("set", "tenant:7", "--limit", "-1"), "-1"),
        (("set", "tenant:7", "--rate", "100"), "'100' is no rate: write 100/min"),
        (("set", "tenant:7", "--rate", "x/min"), "'x/min' is no rate"),
        (("set", "tenant:7", "--rate", "0/min"), "'0/min' is no rate"),
        (("--json", "unset", "k"), "Give the options after 'unset'"),
        (("st", "k"), "did you mean"),
    ],
)
def test_what_cannot_be_is_said(shop, words, says):
    """And nothing is set."""
    shop("limits", *words, code=2)

    assert says in shop.err
    assert [None] == [one.set_at for one in shop.app.limits.list()]
