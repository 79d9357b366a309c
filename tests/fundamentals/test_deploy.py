"""The dashboard and the alerts of deploy/ ask for metrics that there are."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from rotulus import App, TaskRegistry, scheduled, task
from rotulus.metrics import Metrics
from rotulus.testing import drain

DEPLOY = Path(__file__).parents[2] / "deploy"
DASHBOARD = json.loads((DEPLOY / "grafana" / "rotulus.json").read_text())
RULES = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text())["groups"][0]["rules"]
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]

SELECTOR = re.compile(r"(rotulus_\w+)(?:\{([^}]*)\})?")
LABEL = re.compile(r'(\w+)(=~|!~|=|!=)"([^"]*)"')
GROUPED = re.compile(r"(?:by|on) \(([^)]*)\)")
OF_PROMETHEUS = {"instance"}


def asked():
    """Each expression, with a name for it."""
    for panel in PANELS:
        for target in panel["targets"]:
            yield f"{panel['title']} {target['refId']}", target["expr"]
    for rule in RULES:
        yield rule["alert"], rule["expr"]


@pytest.fixture
def told(tmp_path):
    """The labels of each metric of an app in which everything has happened."""
    registry = TaskRegistry()

    @scheduled("0 3 * * *", registry=registry)
    def works():
        pass

    @task(registry=registry)
    def fails():
        raise ValueError("no")

    with App(f"sqlite:///{tmp_path / 'jobs.db'}", registry=registry) as app:
        works.enqueue()
        fails.enqueue()
        drain(app)
        app.tick()
        text = Metrics(app, limit_keys=["api"]).text()
    labels = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels.setdefault(sample.name, {}).update(sample.labels)
    return labels


def test_each_expression_asks_for_what_is_told(told):
    """A metric or a label that does not exist draws an empty panel, and never alerts."""
    wrong = []
    for name, expression in asked():
        found = SELECTOR.findall(expression)
        assert found, name
        known = {label for metric, _ in found for label in told.get(metric, ())} | OF_PROMETHEUS
        used = {label for labels in GROUPED.findall(expression) for label in labels.split(", ")}
        for metric, selected in found:
            used_here = {label for label, _, _ in LABEL.findall(selected)}
            if metric not in told or not used_here <= set(told[metric]):
                wrong.append((name, metric, used_here))
        if not used <= known:
            wrong.append((name, used - known))
    assert [] == wrong


def test_each_metric_is_on_the_dashboard(told):
    """All that is told can be seen, but for what nobody would look at all day."""
    shown = json.dumps(DASHBOARD)
    names = {re.sub(r"_(bucket|sum|count)$", "", name) for name in told}

    unseen = {name for name in names if name not in shown}
    assert {"rotulus_pruned_total", "rotulus_queue_paused"} == unseen


def test_panels_stand_beside_each_other():
    """None lies over another one, and none is wider than the page."""
    taken = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not cells & taken
        assert max(x for x, _ in cells) < 24
        taken |= cells
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])


@pytest.mark.anywhere
def test_alerts_do_what_they_say():
    """By Prometheus's own tool, with series that are made up."""
    tool = shutil.which("promtool")
    if tool is None:
        pytest.skip("NOT TESTED: promtool is not installed (apt install prometheus)")
    tested = subprocess.run(
        [tool, "test", "rules", "alerts_test.yml"],
        cwd=DEPLOY / "prometheus",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert tested.returncode == 0, tested.stdout + tested.stderr
