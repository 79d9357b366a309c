"""The store that encrypts: it leaves out no value of the contract, and compares what it has to."""

import pytest
from cryptography.fernet import Fernet

import rotulus.store
from rotulus._app.encrypting import Encrypting, Values, encrypting
from rotulus._jobs.encrypted import decrypted, encrypted, is_encrypted
from rotulus._jobs.record import JobRecord
from rotulus._workflows.stored import to_be_skipped
from rotulus.store import EVERYTHING, Filter, ScheduleEntry

pytestmark = pytest.mark.anywhere


def test_the_encrypting_store_knows_every_value_with_arguments_or_results():
    """A value that is added to the contract with either is encrypted, or this fails."""
    named = [value for value in vars(rotulus.store).values() if isinstance(value, type)]
    holding = {
        value
        for value in [*named, JobRecord]
        if {"arguments", "result"} & set(getattr(value, "_fields", ()))
    }
    values = Values(Fernet(Fernet.generate_key()))

    assert {Filter} == holding - {*values.writers, *values.readers}


def test_every_part_of_a_store_that_hands_out_jobs_is_an_encrypting_one(local):
    """By what the protocols of its parts are annotated with."""
    store = encrypting(local.store, Fernet(Fernet.generate_key()))
    parts = {
        name: kind.fget.__annotations__["return"]
        for name, kind in vars(rotulus.store.Store).items()
        if isinstance(kind, property)
    }
    holding = {
        name
        for name, protocol in parts.items()
        for method in vars(protocol).values()
        if callable(method) and _speaks_of_jobs(method)
    }

    assert {"failures", "groups", "outbox", "schedules", "webhooks"} == holding
    assert all(isinstance(getattr(store, name), Encrypting) for name in holding)


def _speaks_of_jobs(method):
    words = str(getattr(method, "__annotations__", {}))
    return any(f".{name}" in words for name in ("JobRecord", "NewJob", "ScheduleEntry", "FailureG"))


@pytest.fixture
def cipher():
    """A cipher with a key of its own."""
    return Fernet(Fernet.generate_key())


class Reversing:
    """Something that is no encryption, but returns every byte there is."""

    def encrypt(self, data):
        """Returns all bytes, and then these."""
        return bytes(range(256)) + data[::-1]

    def decrypt(self, data):
        """Returns these."""
        return data[256:][::-1]


def test_any_bytes_can_be_stored(shared):
    """Not only those that are text."""
    store = encrypting(shared.store, Reversing())
    job = shared.new(arguments='{"a":"Zoë"}')
    store.add([job])

    assert '{"a":"Zoë"}' == store.get(job.id).arguments
    assert is_encrypted(shared.store.get(job.id).arguments)


@pytest.mark.parametrize("text", ["{}", "null"])
def test_what_says_nothing_is_stored_as_it_is(cipher, text):
    """Stores know these, and most tasks return None."""
    assert text == encrypted(text, cipher)


def test_a_text_is_encrypted_once(cipher):
    """Who cannot read it may pass it on."""
    once = encrypted('{"a":1}', cipher)

    assert once == encrypted(once, Fernet(Fernet.generate_key()))
    assert '{"a":1}' == decrypted(once, cipher)
    assert once == decrypted(once, Fernet(Fernet.generate_key()))


def test_what_was_made_to_look_encrypted_is_encrypted(cipher, local):
    """Else who knows an encrypted text, as of a backup, could have it decrypted."""
    once = encrypted('{"a":1}', cipher)
    store = encrypting(local.store, cipher)
    job = local.new(arguments=once)
    store.add([job])

    assert once == store.get(job.id).arguments
    assert once != local.store.get(job.id).arguments


@pytest.mark.parametrize(
    "text",
    [
        '{"$cipher":"a","b":1}',
        '{"$cipher":7}',
        '{"$cipher":{"a":"b"}}',
        '{"$cipher":"cut off',
        '{"$cipher":' + "[" * 100_000,
        '{"$ciphers":"a"}',
        '[{"$cipher":"a"}]',
    ],
)
def test_what_is_not_encrypted_is_a_value_as_any_other(cipher, text):
    """It is read as it stands, and encrypted when it is written."""
    assert not is_encrypted(text) and text == decrypted(text, cipher)
    assert is_encrypted(encrypted(text, cipher))
    assert text == decrypted(encrypted(text, cipher), cipher)


def test_a_job_is_added_beside_the_same_ones_as_without(local, cipher, monkeypatch):
    """Jobs that have nothing of their own are added together, as the fast way is for them."""
    added = []
    inner = local.store.add
    monkeypatch.setattr(local.store, "add", lambda jobs, _: added.extend(jobs) or inner(jobs))
    job = local.new(arguments='{"a":1}')
    encrypting(local.store, cipher).add((job,))

    assert [job[2:]] == [one[2:] for one in added]


def test_a_job_that_was_there_stands_with_what_it_has(shared, cipher):
    """What is added is known in plain, what it stands in the place of is decrypted."""
    store = encrypting(shared.store, cipher)
    first, second = (shared.new(arguments=f'{{"a":{n}}}', key="k") for n in (1, 2))
    [added] = store.add([first])
    beside, again = store.add([second, first])

    assert ['{"a":1}'] * 3 == [one.arguments for one in (added, beside, again)]
    store.edit(added, rotulus.store.Edit('{"a":3}'))
    assert ['{"a":3}'] == [one.arguments for one in store.add([first])]


def test_what_the_arguments_of_a_task_begin_with_does_not_matter(local, cipher):
    """Stores know the arguments of a step that begin with `{"needs":`, and those of no task."""
    store = encrypting(local.store, cipher)
    job = local.new(arguments='{"needs":"secret"}')
    part = local.new(arguments='{"needs":[]}', workflow="w", step="a")
    head = local.new(arguments='{"x":1}', parts=[part])
    store.add([job, head])

    assert is_encrypted(local.store.get(job.id).arguments)
    assert '{"needs":[]}' == local.store.get(part.id).arguments
    local.store.cancel([job.id])
    store.retry([job.id], '{"needs":"other"}')
    assert is_encrypted(local.store.get(job.id).arguments)
    assert '{"needs":"other"}' == store.get(job.id).arguments


@pytest.mark.parametrize("before", ["{}", '{"needs":["b"]}'])
def test_that_a_step_is_to_be_skipped_is_not_encrypted(shared, cipher, before):
    """Stores take it away with a retry; a task that is given the same has it encrypted."""
    store = encrypting(shared.store, cipher)
    parts = shared.parts({"b": [], "c": ["b"]})
    parts[1] = parts[1]._replace(arguments=before)
    job = shared.new(arguments='{"skip":true}')
    store.add([job, shared.new(parts=parts)])
    mark = to_be_skipped(before)

    assert mark == store.edit(store.get(parts[1].id), rotulus.store.Edit(mark)).arguments
    assert mark == shared.store.get(parts[1].id).arguments
    assert is_encrypted(shared.store.get(job.id).arguments)
    store.cancel([parts[1].id])
    store.retry([parts[1].id])
    assert before == store.get(parts[1].id).arguments


def test_a_schedule_of_the_code_changes_only_when_it_says_something_else(shared, cipher):
    """Though no two encrypted texts are equal; one of before is encrypted when it is declared."""
    entry = ScheduleEntry("s", "* * * * *", "UTC", arguments='{"a":1}')
    shared.store.schedules.declare([entry])
    store = encrypting(shared.store, cipher)
    versions = []
    for arguments in ('{"a":1}', '{"a":1}', '{"a":2}', '{"a":2}'):
        store.schedules.declare([entry._replace(arguments=arguments)])
        [row] = store.schedules.read(["s"])
        assert arguments == row.arguments
        versions.append(row.version)

    assert [2, 2, 3, 3] == versions
    assert is_encrypted(shared.store.schedules.read(["s"])[0].arguments)


def test_a_job_that_was_edited_meanwhile_is_not_edited(shared, cipher):
    """Nor is one that is gone."""
    store = encrypting(shared.store, cipher)
    job = shared.new(arguments='{"a":1}')
    [seen] = store.add([job])
    edit = rotulus.store.Edit('{"a":2}')

    assert '{"a":2}' == store.edit(seen, edit).arguments
    assert store.edit(seen, edit) is None
    assert store.edit(seen._replace(id=shared.new().id), edit) is None
    assert EVERYTHING == Filter() and [job.id] == [one.id for one in store.find()]
