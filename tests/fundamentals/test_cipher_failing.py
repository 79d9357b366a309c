"""A cipher that fails: the one value is not stored, and everything else goes on."""

import asyncio

import pytest
from cryptography.fernet import Fernet

import rotulus.workflow as wf
from fundamentals.ciphered_tasks import declared
from rotulus import App, Retry, State, TaskRegistry, task
from rotulus.errors import CipherError, OptionError
from rotulus.events import StoreFailed
from rotulus.testing import drain

pytestmark = pytest.mark.anywhere


class Failing:
    """Encrypts as Fernet does, but not what has the word `poison` in it.

    Args:
        error: what it raises then.
    """

    def __init__(self, error):
        self.error = error
        self.mended = False
        self._real = Fernet(Fernet.generate_key())

    def encrypt(self, data):
        """Returns these bytes, encrypted."""
        if b"poison" in data and not self.mended:
            raise self.error
        return self._real.encrypt(data)

    def decrypt(self, data):
        """Returns what was encrypted."""
        return self._real.decrypt(data)


ERRORS = [ValueError("too long"), RuntimeError("no entropy"), ConnectionError("vault is away")]


@pytest.fixture(params=ERRORS, ids=lambda error: type(error).__name__)
def failing(request):
    """A cipher that fails, in one of several ways."""
    return Failing(request.param)


@pytest.fixture
def app(open_app, failing):
    """An app with that cipher, and tasks that return what is asked for."""
    app = open_app(failing)

    @task("brew", registry=app.registry, retry=Retry(attempts=5, delay=0))
    def brew(first: str, second: str) -> str:
        return first + second

    @task("later", registry=app.registry)
    async def later(first: str, second: str) -> str:
        return first + second

    with wf.WorkflowBuilder("many", registry=app.registry):

        @wf.task(id="items")
        def items(context):
            context["items"] = ["poi", "wa"]

        @wf.task(id="each", dependencies=["items"], for_each="items")
        def each(context):
            return context["item"] + ("son" if context["item"] == "poi" else "ter")

    return app


def ended(app, job):
    """How a job stands."""
    job = app.get(job.id)
    return job.state, job.reason, job.attempt, len(job.attempts)


@pytest.mark.parametrize("name", ["brew", "later"])
def test_a_result_that_cannot_be_encrypted_is_a_failure(app, failing, name, stored):
    """One outcome is recorded, which says why; the worker ends, and what it ran beside is stored."""
    told = []
    app.events.subscribe(told.append, StoreFailed)
    beside = [app.enqueue(name, "wa", f"ter{number}") for number in range(20)]
    job = app.enqueue(name, "poi", "son")
    beside += [app.enqueue(name, "wi", f"ne{number}") for number in range(20)]
    drain(app)

    assert (State.FAILED, "result", 1, 0) == ended(app, job)
    error = app.get(job.id).error
    assert "CipherError" == error.type
    assert f"Failing.encrypt() raised {type(failing.error).__name__}: {failing.error}" in (
        error.message
    )
    assert {(State.SUCCEEDED, None, 1, 0)} == {ended(app, one) for one in beside}
    assert [] == told and b"poison" not in stored()


def test_it_is_retried_when_the_cipher_works_again(app, failing):
    """As any other job that failed."""
    job = app.enqueue("brew", "poi", "son")
    drain(app)
    failing.mended = True
    app.jobs.retry(job.id)
    drain(app)

    assert "poison" == app.get(job.id).result(0)


def test_a_single_attempt_fails_likewise(app):
    """`app.jobs.run` settles by itself."""
    job = app.enqueue("brew", "poi", "son")
    attempt = app.jobs.run(job.id)

    assert attempt.ran and (State.FAILED, "result", 1, 0) == ended(app, job)


def test_a_branch_whose_value_cannot_be_encrypted_fails_its_run(app):
    """The run ends, and says which part failed."""
    run = app.enqueue("many")
    drain(app)
    parts = {job.step: (job.state, job.reason) for job in app.jobs(run=run.id)}

    assert (State.FAILED, "result") == parts["each/0"]
    assert State.SUCCEEDED is parts["each/1"][0]
    assert State.FAILED is app.get(run.id).state


def test_parts_that_cannot_be_encrypted_are_not_added(app):
    """A step that would open them has failed, and nothing waits for them."""
    with wf.WorkflowBuilder("open", registry=app.registry):

        @wf.task(id="items")
        def items(context):
            context["half"] = ["poi", "son"]
            return context

        @wf.task(id="join", dependencies=["items"])
        def join(context):
            context.set("items", ["".join(context["half"])])
            return context

    run = app.enqueue("open")
    drain(app)

    assert State.FAILED is app.get(run.id).state
    assert {"failed"} == {str(j.state) for j in app.jobs(run=run.id, step="join")}


def test_an_enqueue_says_that_nothing_was_stored(app):
    """And others at the same time are stored."""
    with pytest.raises(CipherError, match=r"The value is not stored: App\(cipher=...\) has to"):
        app.enqueue("brew", "poison", "")

    async def together():
        texts = ["water", "poison", "wine"] * 10
        calls = [app.aenqueue("brew", text, "") for text in texts]
        return await asyncio.gather(*calls, return_exceptions=True)

    came = asyncio.run(together())
    failed = [one for one in came if isinstance(one, Exception)]
    assert {CipherError} == set(map(type, failed)) and 10 == len(failed)
    assert 20 == app.jobs.count()


def test_a_cipher_that_encrypts_nothing_is_told_at_once(open_app, failing):
    """Before anything is stored."""
    failing.encrypt = lambda data: 1 / 0

    with pytest.raises(
        CipherError, match=r"cipher=Failing is not allowed: its encrypt\(\) raises Z"
    ):
        open_app(failing).enqueue("greet", name="Ada")


class Text:
    """A cipher that returns text."""

    def encrypt(self, data):
        """Returns these bytes as text."""
        return data.decode()

    def decrypt(self, data):
        """Returns these bytes."""
        return data


def test_a_cipher_that_returns_text_is_told_at_once(open_app):
    """It has to return bytes."""
    with pytest.raises(
        CipherError, match=r"cipher=Text is not allowed: .* returns str, and has to"
    ):
        open_app(Text()).enqueue("greet", name="Ada")


def test_a_key_is_no_cipher_and_is_not_shown(open_app):
    """Whoever gives the key itself finds it in no log."""
    key = Fernet.generate_key()

    with pytest.raises(OptionError, match=r"of type bytes: .* as Fernet\(key\)") as raised:
        open_app(key)
    assert key.decode() not in str(raised.value)


def test_an_app_on_the_store_of_another_has_its_cipher(open_app):
    """And no other."""
    owner = open_app(Fernet(Fernet.generate_key()))
    with pytest.raises(OptionError, match="cipher= does not go with store_of="):
        App(store_of=owner, registry=TaskRegistry(), cipher=Fernet(Fernet.generate_key()))
    with App(store_of=owner, registry=declared()) as lodger:
        job = lodger.enqueue("greet", name="Ada")

        assert {"name": "Ada"} == owner.get(job.id).arguments
    assert owner.store.get(job.id) is not None
