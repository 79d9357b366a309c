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
def apps(tmp_path, counter):  # noqa: ARG001 - it has to be there before the first connection
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
    """So two services that are read in turn send as few statements as one."""
    clients = [TestClient(service_of(app), client=("127.0.0.1", 50_000)) for app in apps]
    sent = []
    for _ in range(3):
        for client in clients:
            before = len(counter.said)
            assert 200 == client.get("/metrics", headers={"Host": "127.0.0.1"}).status_code
            sent.append(len(counter.said) - before)

    assert sent[2:4] == sent[4:6]
    assert sent[4] < sent[0]
