"""A process without the key: it shows what stands there, changes nothing, and leaves jobs alone."""

import json

import pytest
from cryptography.fernet import Fernet

from fundamentals.ciphered_tasks import CANARY, declared
from rotulus import App, State
from rotulus.errors import CipherError
from rotulus.events import AttemptFailed, DutyFailed
from rotulus.testing import drain
from rotulus.workflow import Run
from webhook_receiver import LOOPBACK, Receiver

pytestmark = pytest.mark.anywhere


@pytest.mark.parametrize("other", ["none", "another"])
def test_a_worker_that_has_not_the_key_leaves_a_job_to_others(open_app, cipher, other, caplog):
    """It says so plainly, the attempt counts as no failure, and a worker with the key runs it."""
    job = open_app(cipher).enqueue("greet", name=CANARY)
    stranger = open_app(None if other == "none" else Fernet(Fernet.generate_key()))
    told = []
    stranger.events.subscribe(told.append, AttemptFailed)
    drain(stranger)
    seen = stranger.get(job.id)

    assert (State.DELAYED, "unreadable", 0, 1) == (
        seen.state,
        seen.reason,
        seen.record.failures,
        seen.record.releases,
    )
    assert 0 < seen.record.run_at - seen.record.created_at
    assert (
        "this process has no key" in seen.error.message and "App(cipher=...)" in seen.error.message
    )
    assert "left it to others" in " ".join(seen.why())
    [event] = told
    assert "released greet" in event.line() and "again in 1.0 s" in event.line()
    assert ["ERROR"] == [r.levelname for r in caplog.records if "Unreadable" in r.getMessage()]
    owner = open_app(cipher)
    owner.jobs.edit(job.id, delay=0)
    drain(owner)
    done = owner.get(job.id)
    assert (f"hello {CANARY}", State.SUCCEEDED, 0) == (
        done.result(1),
        done.state,
        done.record.failures,
    )


def test_each_time_it_is_left_for_longer(open_app, cipher):
    """Up to five minutes."""
    job = open_app(cipher).enqueue("greet", name=CANARY)
    stranger = open_app()
    told = []
    stranger.events.subscribe(told.append, AttemptFailed)
    for _ in range(10):
        drain(stranger)
        stranger.jobs.edit(job.id, delay=0)

    assert [1, 2, 4, 8, 16, 32, 64, 128, 256, 300] == [event.outcome.delay for event in told]


def test_a_result_that_cannot_be_read_is_not_taken_for_one(open_app, cipher):
    """The error says what is missing; looking at the job does not raise."""
    app = open_app(cipher)
    job = app.enqueue("greet", name=CANARY)
    drain(app)
    app.close()
    stranger = open_app()

    with pytest.raises(CipherError, match=r"result of job .* cannot be read: its values are"):
        stranger.get(job.id).result(1)
    assert ["$cipher"] == list(stranger.jobs()[0].to_dict()["arguments"])


def test_a_step_whose_context_cannot_be_read_is_left_to_others(open_app, cipher):
    """Its own arguments say nothing but what it needs, and these can be read."""
    owner = open_app(cipher)
    run = owner.enqueue("flow", name=CANARY, count=1).id
    [first] = owner.jobs(run=run, step="ask")
    assert owner.jobs.run(first.id).ran
    stranger = open_app()
    drain(stranger)
    [step] = stranger.jobs(run=run, step="answer")

    assert (State.DELAYED, "unreadable", 0) == (step.state, step.reason, step.record.failures)
    assert step.record.arguments.startswith('{"needs":')
    owner = open_app(cipher)
    owner.jobs.edit(step.id, delay=0)
    drain(owner)
    assert f"{CANARY}1".upper() == owner.get(run).result(1)["answered"]


def test_steps_that_are_claimed_together_are_left_to_others(open_app, cipher):
    """What several steps need is read at once: that it cannot be decrypted is said of each."""
    owner = open_app(cipher)
    runs = [owner.enqueue("flow", name=CANARY, count=number).id for number in range(3)]
    for run in runs:
        [first] = owner.jobs(run=run, step="ask")
        assert owner.jobs.run(first.id).ran
    stranger = open_app()
    plain = stranger.enqueue("greet", name="Ada")
    drain(stranger)
    steps = [stranger.jobs(run=run, step="answer")[0] for run in runs]

    assert "hello Ada" == plain.result(0)
    assert {("unreadable", State.DELAYED, 1, 0, 0)} == {
        (step.reason, step.state, step.attempt, step.record.failures, step.record.losses)
        for step in steps
    }


def test_the_callback_of_a_group_is_left_to_others(open_app, cipher):
    """It is not called with outcomes that nobody can read."""
    owner = open_app(cipher)
    with owner.group("letters", then=owner.registry.get("together")) as group:
        job = owner.using(group=group).enqueue("greet", name=CANARY)
    assert owner.jobs.run(job.id).ran
    stranger = open_app()
    drain(stranger)
    callback = stranger.get(group.id)

    assert (State.DELAYED, "unreadable", 0) == (
        callback.state,
        callback.reason,
        callback.record.failures,
    )
    owner = open_app(cipher)
    owner.jobs.cancel(group.id)
    owner.jobs.retry(group.id)
    drain(owner)
    assert [f"{CANARY} hello {CANARY}"] == owner.get(group.id).result(0)


def test_arguments_that_cannot_be_read_are_not_changed(open_app, cipher):
    """Neither are some of them lost, nor are new ones stored in plain text; other changes are."""
    job = open_app(cipher).enqueue("greet", name=CANARY)
    stranger = open_app()
    text = stranger.get(job.id).record.arguments

    for given in ({"name": "Eva"}, {**stranger.get(job.id).arguments, "name": "Eva"}):
        with pytest.raises(CipherError, match=r"arguments of job .* cannot be read: .*cipher="):
            stranger.jobs.edit(job.id, arguments=given)
    assert 5 == stranger.jobs.edit(job.id, priority=5).record.priority
    assert text == stranger.get(job.id).record.arguments
    owner = open_app(cipher)
    drain(owner)
    assert f"hello {CANARY}" == owner.get(job.id).result(0)


@pytest.mark.parametrize("context", [None, {"name": "Eva", "count": 2}])
def test_a_step_is_not_replayed_where_its_context_cannot_be_read(open_app, cipher, context):
    """Its context would be lost; with the key it is replayed."""
    owner = open_app(cipher)
    run = owner.enqueue("flow", name=CANARY, count=1).id
    drain(owner)
    stranger = open_app()

    with pytest.raises(CipherError, match=r"context of step 'ask' of run .* cannot be read"):
        stranger.runs.replay(run, "ask", context)
    assert State.SUCCEEDED is stranger.get(run).state
    owner = open_app(cipher)
    owner.runs.replay(run, "ask", context)
    drain(owner)
    expected = f"{CANARY}1" if context is None else "Eva2"
    assert expected == owner.get(run).result(0)["asked"]


def test_the_result_of_a_run_is_not_taken_for_a_context(open_app, cipher):
    """With the key it is one."""
    owner = open_app(cipher)
    run = owner.enqueue("flow", name=CANARY, count=1).id
    drain(owner)

    assert f"{CANARY}1" == Run(owner, run).wait(1).final_context["asked"]
    with pytest.raises(CipherError, match=r"result of run .* cannot be read"):
        Run(open_app(), run).wait(1)


def test_a_job_is_sent_back_by_who_cannot_read_it(open_app, cipher):
    """Nothing of it has to be read: by a filter, and as a job of a group."""
    owner = open_app(cipher)
    job = owner.enqueue("refuse", name=CANARY)
    with owner.group("letters", then=owner.registry.get("together")) as group:
        member = owner.using(group=group).enqueue("greet", name=CANARY)
    drain(owner)
    stranger = open_app(Fernet(Fernet.generate_key()))
    stranger.jobs.retry(state="failed")
    stranger.runs.replay(group.id, stranger.get(member.id).step)
    owner = open_app(cipher)
    drain(owner)
    back, again = owner.get(job.id), owner.get(member.id)

    assert (2, {"name": CANARY}) == (back.attempt, back.arguments)
    assert (2, f"hello {CANARY}") == (again.attempt, again.result(0))


def test_a_schedule_keeps_the_arguments_that_cannot_be_read(open_app, cipher):
    """When it fires is changed by anybody, what it fires with by who can read it."""
    owner = open_app(cipher)
    owner.schedules.add("s", task="greet", cron="0 0 * * *", arguments={"name": CANARY})
    stranger = open_app()

    for changes in ({"arguments": {"name": "Eva"}}, {"task": "refuse"}):
        with pytest.raises(CipherError, match="arguments of schedule 's' cannot be read"):
            stranger.schedules.set("s", **changes)
    assert "0 1 * * *" == stranger.schedules.set("s", cron="0 1 * * *").schedule.cron
    owner = open_app(cipher)
    job = owner.schedules.run_now("s")
    drain(owner)
    assert f"hello {CANARY}" == job.result(0)


def test_a_check_tells_what_cannot_be_read(open_app, cipher):
    """Jobs by their tasks, runs, and schedules; with the key there is nothing to tell."""
    owner = open_app(cipher)
    owner.enqueue("greet", name=CANARY)
    owner.enqueue("greet", name=CANARY)
    owner.enqueue("flow", name=CANARY, count=1)
    owner.schedules.add("s", task="greet", cron="0 0 * * *", arguments={"name": CANARY})
    assert [] == owner.check()
    told = open_app().check()

    assert ["1 of 'flow'", "1 of 'flow.ask'", "2 of 'greet'", "schedule 's'"] == sorted(
        one.partition(": its values are encrypted, and this process has no key")[0] for one in told
    )


class OneWay:
    """A cipher of a program that only enqueues."""

    def encrypt(self, data):
        """Returns these bytes, encrypted."""
        return data[::-1]

    def decrypt(self, data):
        """Raises: it has no key for that."""
        raise ValueError("no private key")


def test_a_check_tells_of_a_cipher_that_does_not_decrypt(open_app):
    """A worker needs both; a program that only enqueues does not, and enqueues."""
    app = open_app(OneWay())
    job = app.enqueue("greet", name=CANARY)

    assert ["$cipher"] == list(app.get(job.id).arguments)
    with pytest.raises(CipherError, match="cipher=OneWay does not decrypt what it has encrypted"):
        app.check()


@pytest.fixture
def receiver(no_settings, monkeypatch):
    """A receiver of webhooks that is there."""
    monkeypatch.setenv("ROTULUS_WEBHOOK_NETWORKS", ",".join(LOOPBACK))
    with Receiver().running() as running:
        yield running


def test_a_webhook_is_delivered_by_who_has_the_key(open_app, cipher, stored, receiver):
    """In the database its message is encrypted; without the key it is listed, and not sent."""
    owner = open_app(cipher)
    owner.webhooks.add("ops", receiver.url, events=["job.succeeded"])
    job = owner.using(labels={"who": "a"}).enqueue("greet", name="Ada")
    assert owner.jobs.run(job.id).ran
    owner.tick()
    stranger = open_app()
    drain(stranger)
    [seen] = stranger.webhooks.deliveries()

    assert [] == receiver.received
    assert ("ops", "", "job.succeeded", job.id) == (
        seen.webhook,
        seen.message,
        seen.event,
        seen.subject,
    )
    assert ["$cipher"] == list(seen.to_dict()["body"])
    assert b"job.succeeded" in stored() and b"msg_" not in stored()
    with pytest.raises(CipherError, match="message of delivery .* cannot be read"):
        stranger.webhooks.replay(seen.id)
    owner = open_app(cipher)
    owner.jobs.edit(seen.id, delay=0)
    drain(owner)
    [got] = receiver.received
    assert job.id == json.loads(got.body)["data"]["id"]
    assert got.headers["webhook-id"] == owner.webhooks.deliveries()[0].message


def test_a_schedule_that_cannot_be_read_does_not_stop_the_others(cipher, still_clock):
    """It is told of, and fires where the key is."""
    owner, stranger = (
        App("sqlite:///still.db", registry=declared(), cipher=key, clock=still_clock)
        for key in (cipher, None)
    )
    owner.schedules.add("a", task="greet", every=60, arguments={"name": CANARY})
    stranger.schedules.add("b", task="greet", every=60, arguments={"name": "Ada"})
    told = []
    stranger.events.subscribe(told.append, DutyFailed)
    stranger.tick()
    still_clock.advance(61)
    stranger.tick()

    assert ["b"] == [job.schedule for job in stranger.jobs()]
    assert ["schedule a"] == [event.duty for event in told]
    assert "arguments of schedule 'a' cannot be read" in str(told[0].error)
    owner.tick()
    still_clock.advance(61)
    owner.tick()
    assert {"name": CANARY} in [job.arguments for job in owner.jobs() if job.schedule == "a"]
    owner.close()
    stranger.close()
