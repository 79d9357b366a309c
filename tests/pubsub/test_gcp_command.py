"""`rotulus gcp`: what would be done is printed first, done when somebody agrees, and told."""

import json
import subprocess
import sys

import pytest
from google.pubsub_v1 import PushConfig

from doors.wrong import Folder

SHOP = """
from rotulus import App, TaskRegistry, task
from rotulus.pubsub import PubSubCarrier, TaskRoute
registry = TaskRegistry()
app = App("sqlite:///shop.db", registry=registry)

@task(registry=registry, timeout=60)
def send(user_id: int) -> None: ...

@task(registry=registry)
def nightly() -> None: ...

app.carry(PubSubCarrier([
    TaskRoute(send),
    TaskRoute(nightly, schedule="0 3 * * *", schedule_timezone="Europe/London"),
]))
"""
SCHEDULED = """    TaskRoute(nightly, schedule="0 3 * * *", schedule_timezone="Europe/London"),
"""
SLOW = SHOP.replace("task(registry=registry)", "task(registry=registry, timeout=400)")


@pytest.fixture
def folder(tmp_path, monkeypatch, faked):
    """A folder with an app that has routes, and the environment of a project of the fake."""
    monkeypatch.syspath_prepend(str(tmp_path))
    settings = faked.settings
    for name, value in {
        "ROTULUS_APP": "store:app",
        "GCP_PROJECT_ID": settings.project_id,
        "CLOUD_RUN_SERVICE_URL": "https://shop.example",
        "TASKS_SERVICE_ACCOUNT": settings.service_account,
        "TASKS_NAMESPACE": "shop",
        "PUBSUB_EMULATOR_HOST": settings.pubsub_emulator,
        "CLOUD_SCHEDULER_EMULATOR_HOST": settings.scheduler_emulator,
    }.items():
        monkeypatch.setenv(name, value)
    made = Folder(tmp_path)
    made.write("store.py", SHOP)
    yield made
    made.close()


def change(folder, name, text):
    """Write a module anew, which is imported anew."""
    folder.close()
    folder.write(name, text)


def run(folder, words):
    """What a command says, and its exit code."""
    return folder.rotulus(*words.split())


def test_a_plan_prints_each_resource_and_changes_none(folder, faked):
    """With its fields, how many there are, and where."""
    answer = run(folder, "gcp plan")

    assert 0 == answer.code, answer.text
    assert "create subscription dev--shop.tasks--store.send-sub" in answer.text
    assert "push_endpoint: https://shop.example/tasks/pubsub/" in answer.text
    assert "schedule: 0 3 * * *" in answer.text
    assert f"8 to create, in project {faked.settings.project_id}, which is emulated" in answer.text
    assert [] == list(faked.clients.publisher.list_topics(project=faked.project))


def test_applying_prints_the_plan_does_it_and_leaves_nothing_to_do(folder):
    """Twice does no harm."""
    first = run(folder, "gcp apply --yes")
    assert 0 == first.code, first.text
    assert "8 to create" in first.text
    assert "Done: 8 created." in first.text

    second = run(folder, "gcp apply")
    assert 0 == second.code, second.text
    assert "Nothing to do: 8 resources in project" in second.text


def test_a_change_is_printed_with_what_was_before(folder, faked):
    """And so is what is deleted."""
    run(folder, "gcp apply --yes")
    faked.clients.subscriber.modify_push_config(
        subscription=f"{faked.project}/subscriptions/dev--shop.tasks--store.send-sub",
        push_config=PushConfig(push_endpoint="https://old.example/"),
    )
    change(folder, "store.py", SHOP.replace(SCHEDULED, ""))

    planned = run(folder, "gcp plan")
    assert "update subscription dev--shop.tasks--store.send-sub" in planned.text
    assert "push_endpoint: https://old.example/ → https://shop.example/tasks/" in planned.text
    assert "delete scheduler job dev--shop-scheduler--store-nightly" in planned.text
    assert "1 to change, 1 to delete, 4 unchanged" in planned.text


def test_nobody_who_answers_is_nobody_who_agrees(folder, faked):
    """A question at the end of a pipe changes nothing."""
    answer = run(folder, "gcp apply")

    assert 2 == answer.code
    assert "nothing was done; --yes does not ask" in answer.text
    assert [] == list(faked.clients.publisher.list_topics(project=faked.project))


def test_programs_read_the_plan_as_json(folder, faked):
    """Every resource, also those that fit, and what was done."""
    planned = json.loads(run(folder, "gcp plan --json").text)
    assert faked.settings.project_id == planned["project"]
    assert faked.settings.pubsub_emulator == planned["emulator"]
    assert ["create"] * 8 == [change["action"] for change in planned["changes"]]
    assert {"field": "ack_deadline", "before": None, "after": 300} in (
        planned["changes"][3]["differences"]
    )

    done = json.loads(run(folder, "gcp apply --json --yes").text)
    assert 8 == len(done["done"])
    again = json.loads(run(folder, "gcp plan --json").text)
    assert ["unchanged"] * 8 == [change["action"] for change in again["changes"]]


def test_an_app_without_routes_is_shown_how_to_have_some(folder):
    """Nothing is deleted because nothing was found."""
    answer = run(folder, "gcp apply --app shop:app")

    assert 3 == answer.code
    assert "app.carry(PubSubCarrier([TaskRoute(send_welcome)]))" in answer.text


@pytest.mark.parametrize(
    "variable", ["GCP_PROJECT_ID", "CLOUD_RUN_SERVICE_URL", "TASKS_SERVICE_ACCOUNT"]
)
def test_a_variable_that_is_not_set_is_named_with_an_example(folder, monkeypatch, variable):
    """In one line."""
    monkeypatch.delenv(variable)
    answer = run(folder, "gcp plan")

    assert 3 == answer.code
    assert f"such as {variable}=" in answer.text


def test_a_route_that_does_not_fit_is_not_applied_and_keeps_its_schedule(folder, faked):
    """Its numbers are told; the others are applied."""
    run(folder, "gcp apply --yes")
    change(folder, "store.py", SLOW)
    answer = run(folder, "gcp apply --yes")

    assert 1 == answer.code, answer.text
    assert "timeout of 400 seconds" in answer.text
    assert "ack_deadline of 300" in answer.text
    jobs = [one.name for one in faked.clients.scheduler.list_jobs(parent=faked.jobs)]
    assert f"{faked.jobs}/jobs/dev--shop-scheduler--store-nightly" in jobs


def test_a_delay_that_is_shortened_is_printed(folder):
    """Each time, for people and for programs."""
    change(folder, "store.py", SHOP.replace("TaskRoute(send)", "TaskRoute(send, 300, 10, 3600)"))

    for words in ("plan", "apply --yes", "plan"):
        assert (
            "max_retry_delay=3600 is longer than Pub/Sub waits" in run(folder, f"gcp {words}").text
        )
    [note] = json.loads(run(folder, "gcp plan --json").text)["notes"]
    assert "gets 600 seconds" in note


def test_a_problem_of_many_is_told_once(folder, fake, monkeypatch):
    """With the names of all that it hinders, and an exit code that says so."""
    from google.api_core.retry import Retry

    from rotulus.pubsub.provision import resource

    monkeypatch.setitem(resource.CALL, "retry", Retry(timeout=1))
    fake.close()
    answer = run(folder, "gcp plan")

    assert 1 == answer.code
    assert "problems; the rest" in answer.text


def test_without_its_packages_the_command_names_the_extra(tmp_path):
    """And the rest of the program works."""
    code = (
        "import sys; sys.modules['google'] = None\n"
        "from rotulus.cli.main import main; main(['gcp', 'plan'])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert 3 == told.returncode
    assert "pip install 'rotulus[gcp]'" in told.stderr
