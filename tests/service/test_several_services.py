"""Several services in a process: their routes are made once, and hold nothing of one of them."""

import pytest
from starlette.testclient import TestClient

from rotulus import App, TaskRegistry
from rotulus.service import service_of
from statement_counter import StatementCounter

pytestmark = pytest.mark.anywhere


@pytest.fixture
def counter(monkeypatch):
    """Counts the statements that are sent to their stores."""
    return StatementCounter(monkeypatch)


@pytest.fixture
def apps(tmp_path, counter):
    """Two apps, each with a store of its own."""
    made = [App(f"sqlite:///{tmp_path}/{name}.db", registry=TaskRegistry()) for name in "ab"]
    for app in made:
        app.store.migrate()
    yield made
    for app in made:
        app.close()


def test_what_is_changed_on_a_route_is_changed_in_one_service(apps):
    """Such as the ids of operations, which many programs shorten."""
    first, second = map(service_of, apps)
    names = {route.operation_id for route in second.routes if getattr(route, "operation_id", None)}
    for route in first.routes:
        if getattr(route, "operation_id", None):
            route.operation_id = f"first_{route.operation_id}"
    again = service_of(apps[1])

    assert "list_jobs" in names
    for service in (second, again):
        assert names == {
            route.operation_id for route in service.routes if getattr(route, "operation_id", None)
        }


def test_what_metrics_keep_of_an_app_they_keep_beside_others(apps, counter):
    """So two services that are read in turn send as few statements as one that is read alone."""
    one, other = (TestClient(service_of(app), client=("127.0.0.1", 50_000)) for app in apps)

    def sent(client):
        before = len(counter.said)
        assert 200 == client.get("/metrics", headers={"Host": "127.0.0.1"}).status_code
        return len(counter.said) - before

    alone = [sent(one) for _ in range(3)]
    in_turn = [(sent(other), sent(one)) for _ in range(3)]

    assert alone[0] > alone[2]
    assert (alone[2], alone[2]) == in_turn[2]
