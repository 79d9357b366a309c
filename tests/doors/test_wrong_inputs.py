"""What one can type wrong: each answer says what is wrong, where, and what would do."""

import pytest

from doors.wrong import HEAD, Folder, Wrong

pytestmark = pytest.mark.anywhere

SHOP = {"ROTULUS_APP": "shop:app"}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with an app in it."""
    monkeypatch.syspath_prepend(str(tmp_path))
    made = Folder(tmp_path)
    yield made
    made.close()


APPS = {
    "worker without an app": Wrong("worker", 3, "Which app?", "[tool.rotulus]", "module:app"),
    "dev without an app": Wrong("dev", 3, "Which app?", "[tool.rotulus]", "module:app"),
    "a module misspelt": Wrong(
        "worker shpo:app", 3, "No module 'shpo'", "{folder}", "did you mean 'shop'?"
    ),
    "an app misspelt": Wrong(
        "worker shop:ap", 3, "no App named 'ap'", "shop has", "did you mean 'app'?"
    ),
    "a task for an app": Wrong(
        "worker shop:count", 3, "a Task, not an App", "shop has", "its apps: app"
    ),
    "a dot for the colon": Wrong(
        "worker shop.app", 3, "No module 'shop.app'", "{folder}", "did you mean 'shop:app'?"
    ),
    "an import that is not there": Wrong(
        "worker broken:app",
        3,
        "No module named 'nothing_here'",
        "(broken.py:2)",
        "install it for",
        files={"broken.py": "x = 1\nimport nothing_here\n"},
    ),
    "an import that fails in a library": Wrong(
        "worker broken:app",
        3,
        "JSONDecodeError: Expecting",
        "(broken.py:2)",
        "--traceback",
        files={"broken.py": "import json\nx = json.loads('{')\n"},
    ),
    "a syntax error": Wrong(
        "worker broken:app",
        3,
        "SyntaxError:",
        "(broken.py:2)",
        "--traceback",
        files={"broken.py": "x = 1\ndef f(:\n"},
    ),
    "a syntax error in what it imports": Wrong(
        "worker outer:app",
        3,
        "SyntaxError:",
        "(inner.py:1)",
        "--traceback",
        files={"outer.py": "import inner\n", "inner.py": "x = = 1\n"},
    ),
    "a variable that is not set": Wrong(
        "worker broken:app",
        3,
        "KeyError: 'NOT_SET'",
        "(broken.py:4)",
        "--traceback",
        files={"broken.py": "import os\n\n\nx = os.environ['NOT_SET']\n"},
    ),
    "a module without an app": Wrong(
        "worker empty",
        3,
        "empty has no App",
        "empty",
        "app = App('sqlite:///jobs.db')",
        files={"empty.py": ""},
    ),
    "a module with two apps": Wrong(
        "worker wrong",
        3,
        "several apps",
        "wrong has",
        "choose one of app, other as wrong:NAME",
        "other = App('sqlite://', registry=TaskRegistry())",
    ),
    "an app without tasks": Wrong(
        "worker wrong:app",
        3,
        "has no tasks",
        "wrong:app",
        "import the modules that declare them",
        "",
    ),
    "a file that is not there": Wrong(
        "worker ./nope.py",
        3,
        "There is no file ./nope.py",
        "{folder}",
        "Python files there: shop.py",
    ),
}

CALLS = {
    "a task misspelt": Wrong(
        "enqueue emails.send_welcom 7",
        5,
        "not found in registry",
        "Tasks of this app: count, emails.send_welcome",
        "did you mean 'emails.send_welcome'?",
        environment=SHOP,
    ),
    "a task misspelt, to run": Wrong(
        "run coutn", 5, "not found", "Tasks of this app:", "did you mean 'count'?", environment=SHOP
    ),
    "an argument of another type": Wrong(
        "enqueue emails.send_welcome seven",
        2,
        "argument 'user_id'",
        "shop.py:6",
        "integer",
        environment=SHOP,
    ),
    "an argument too few": Wrong(
        "enqueue count", 2, "'words'", "shop.py:10", "missing", environment=SHOP
    ),
    "an argument misspelt": Wrong(
        ["enqueue", "count", '["a"]', "time=2"],
        2,
        "unknown argument 'time'",
        "shop.py:10",
        "did you mean 'times'?",
        environment=SHOP,
    ),
    "an argument too many": Wrong(
        ["enqueue", "count", '["a"]', "2", "3"],
        2,
        "count()",
        "shop.py:10",
        "takes 2",
        environment=SHOP,
    ),
    "JSON that is none": Wrong(
        ["enqueue", "count", "--json-args", "{bad"],
        2,
        "not JSON",
        "--json-args",
        "'{\"user_id\": 7}'",
        environment=SHOP,
    ),
    "a delay in words": Wrong(
        "enqueue count --in tomorrow",
        2,
        "'tomorrow' is no number of seconds",
        "--in",
        "write 90",
        environment=SHOP,
    ),
    "a moment in words": Wrong(
        ["enqueue", "count", "--at", "next friday"],
        2,
        "'next friday' is no ISO 8601 time",
        "--at",
        "write 2026-11-20T09:30, which is UTC",
        environment=SHOP,
    ),
}

OPTIONS = {
    "another system's option": Wrong(
        "worker shop:app --concurrency 4",
        2,
        "No such option '--concurrency'",
        "rotulus worker",
        "did you mean '--slots'?",
    ),
    "an option misspelt": Wrong(
        "worker shop:app --slot 4",
        2,
        "No such option '--slot'",
        "rotulus worker",
        "did you mean '--slots'?",
    ),
    "a list as a command": Wrong(
        "workers", 2, "No such command 'workers'", "There are: audit, cancel,", "ls workers'?"
    ),
    "another system's command": Wrong(
        "purge", 2, "No such command 'purge'", "There are: audit, cancel,", "did you mean 'cancel'?"
    ),
    "a list misspelt": Wrong(
        "ls job", 2, "No such command 'job'", "ls [OPTIONS]", "did you mean 'jobs'?"
    ),
    "no slots": Wrong(
        "worker shop:app --slots 0", 2, "0 is not in the range", "--slots", "1<=x<=10000"
    ),
    "slots in words": Wrong(
        "worker shop:app --slots zero",
        2,
        "'zero' is not a whole number from 1 to 10,000, such as 10",
        "--slots",
        "such as 10",
    ),
    "a lease in letters": Wrong(
        "worker shop:app --lease abc",
        2,
        "'abc' is not a number of seconds, such as 30",
        "--lease",
        "such as 30",
    ),
    "a negative drain": Wrong(
        "worker shop:app --drain -5",
        2,
        "drain = -5.0 is not allowed",
        "(argument)",
        "give a number of seconds, from 0",
    ),
    "a state that is none": Wrong(
        "ls jobs --state fail", 2, "'fail' is not one of", "--state", "'failed'", environment=SHOP
    ),
    "retry of nothing": Wrong(
        "retry", 2, "Which jobs?", "rotulus retry", "Give their ids", environment=SHOP
    ),
    "cancel of nothing": Wrong(
        "cancel", 2, "Which jobs?", "rotulus cancel", "Give their ids", environment=SHOP
    ),
    "pause of nothing": Wrong(
        "pause", 2, "What?", "rotulus pause", "Give a queue", environment=SHOP
    ),
    "a cron expression given wrong": Wrong(
        ["cron", "preview", "61 * * * *"],
        2,
        "the minute field cannot be '61'",
        "'61 * * * *'",
        "numbers from 0 to 59",
    ),
    "a time given wrong": Wrong(
        ["cron", "preview", "* * * * *", "--after", "soon"],
        2,
        "'soon' is no ISO 8601 time",
        "--after",
        "write 2026-11-20T09:30",
    ),
    "a count given wrong": Wrong(
        ["cron", "preview", "* * * * *", "--count", "0"],
        2,
        "0 is not in the range",
        "--count",
        "1<=x<=1000",
    ),
    "rights that there are not": Wrong(
        "migrate --grants owner",
        2,
        "'owner' is not one of",
        "--grants",
        "'worker'",
        environment=SHOP,
    ),
}

VALUES = {
    "a pattern in the middle": Wrong(
        "ls jobs --task m*l --url sqlite://", 2, "'m*l' is not allowed", "Task name", "use letters"
    ),
    "an empty key": Wrong(
        ["cancel", "--task", "count", "--key", "", "--url", "sqlite://"],
        2,
        "key='' is not allowed",
        "key",
        "1 to 1,000",
    ),
    "a time that ends before it begins": Wrong(
        "stats --since 2999-01-01 --url sqlite://",
        2,
        "is still to come",
        "since=2999",
        "nothing has happened",
    ),
    "a cursor of other filters": Wrong(
        "ls jobs --after x --url sqlite://", 2, "no cursor", "after=", "Give page.next"
    ),
    "no fingerprint": Wrong(
        "failures show x --url sqlite://", 2, "no fingerprint", "'x'", "'rotulus failures' shows"
    ),
    "a queue with a blank": Wrong(
        ["pause", "a b"], 2, "'a b' is not allowed", "Queue name", "start with a letter"
    ),
    "a moment after all others": Wrong(
        "enqueue count words=[] --at 9999-12-31",
        2,
        "is not allowed",
        "at=9999-12-31T00:00:00+00:00",
        "the latest moment is 9899",
    ),
    "a moment and a delay": Wrong(
        "enqueue count words=[] --at 2999-12-31 --in 5",
        2,
        "both say when the job is due",
        "delay=5 and at=2999",
        "give one of the two",
    ),
    "a lease of nothing": Wrong(
        "worker --lease 0", 2, "lease = 0.0 is not allowed", "(argument)", "0.1 or more"
    ),
    "a token with a blank": Wrong(
        ["serve", "--token", "a b"], 2, "is not allowed", "token", "visible ASCII"
    ),
    "pushes for an application of one's own": Wrong(
        "serve own:application --push",
        2,
        "--push is for an App",
        "application of yours",
        "make_push_router",
        files={"own.py": "def application(scope, receive, send): ..."},
    ),
}
"""What is wrong with a word ends with 2, whoever finds it: the program, or a verb of the app."""

DECLARED = {
    "a minute out of range": Wrong(
        "check",
        3,
        "the minute field cannot be '61'",
        "(wrong.py:5)",
        "numbers from 0 to 59",
        "@scheduled('61 * * * *', registry=registry)\ndef f(): ...",
    ),
    "two fields": Wrong(
        "check",
        3,
        "has 2 fields; it needs five",
        "(wrong.py:5)",
        "such as '30 9 * * 1-5'",
        "@scheduled('* *', registry=registry)\ndef f(): ...",
    ),
    "six fields": Wrong(
        "check",
        3,
        "has 6 fields; it needs five",
        "(wrong.py:5)",
        "such as '30 9 * * 1-5'",
        "@scheduled('* * * * * *', registry=registry)\ndef f(): ...",
    ),
    "a day that never comes": Wrong(
        "check",
        3,
        "no month in '2' has a day '31'",
        "(wrong.py:5)",
        "give days up to 29",
        "@scheduled('0 0 31 2 *', registry=registry)\ndef f(): ...",
    ),
    "a zone cut short": Wrong(
        "check",
        3,
        "Time zone 'Berlin' is not known",
        "(wrong.py:5)",
        "did you mean 'Europe/Berlin'?",
        "@scheduled('0 0 * * *', timezone='Berlin', registry=registry)\ndef f(): ...",
    ),
    "an option misspelt in code": Wrong(
        "check",
        3,
        "There is no option 'retries'",
        "(wrong.py:5)",
        "did you mean 'retry'?",
        "@task(retries=3, registry=registry)\ndef f(): ...",
    ),
    "a number for a policy": Wrong(
        "check",
        3,
        "retry=3 is not allowed",
        "(wrong.py:5)",
        "write retry=Retry(attempts=...)",
        "@task(retry=3, registry=registry)\ndef f(): ...",
    ),
    "an option of a step misspelt": Wrong(
        "check",
        3,
        "There is no option 'retries'",
        "(wrong.py:5)",
        "did you mean 'retry_attempts'?",
        "@wf.task(retries=3)\ndef f(context): ...",
    ),
    "a step without parentheses": Wrong(
        "check",
        3,
        "takes named options only",
        "(wrong.py:5)",
        "write @task()",
        "@wf.task\ndef f(context): ...",
    ),
    "a parameter nobody fills": Wrong(
        "check",
        3,
        "'mailer'",
        "wrong.py:6",
        "app.provide(Mailer, factory)",
        "class Mailer: ...\n@task(registry=registry)\ndef f(mailer: Mailer): ...",
    ),
    "a schedule with a needed argument": Wrong(
        "check",
        3,
        "needs 'day'",
        "(wrong.py:5)",
        "give defaults",
        "@scheduled('0 0 * * *', registry=registry)\ndef f(day: str): ...",
    ),
    "one name twice": Wrong(
        "check",
        3,
        "already registered",
        "wrong.py:5",
        "give one of them another name",
        "@task('a', registry=registry)\ndef f(): ...\n@task('a', registry=registry)\ndef g(): ...",
    ),
    "a name with a blank": Wrong(
        "check",
        3,
        "Task name 'send email!' is not allowed",
        "(wrong.py:5)",
        "such as 'emails.send_welcome'",
        "@task('send email!', registry=registry)\ndef f(): ...",
    ),
    "a lambda without a name": Wrong(
        "check",
        3,
        "'<lambda>' is not allowed",
        "(wrong.py:5)",
        "such as 'emails.send_welcome'",
        "task(registry=registry)(lambda: 1)",
    ),
    "a task that comes too late": Wrong(
        "check",
        3,
        "The registry is frozen, and task 'f'",
        "wrong.py:6",
        "register every task before the app starts",
        "registry.freeze()\n@task(registry=registry)\ndef f(): ...",
    ),
    "a URL in code": Wrong(
        "check",
        3,
        "not a store URL",
        "(wrong.py:5)",
        "use sqlite:///jobs.db",
        "other = App('jobs.db')",
    ),
}

STORES = {
    "a scheme misspelt": Wrong(
        "ls jobs",
        3,
        "'sqlit:///x.db' is not allowed",
        "(ROTULUS_URL)",
        "did you mean 'sqlite'?",
        environment={"ROTULUS_URL": "sqlit:///x.db"},
    ),
    "a file for a URL": Wrong(
        "ls jobs --url jobs.db",
        2,
        "url = 'jobs.db' is not allowed",
        "(argument)",
        "use sqlite:///jobs.db",
    ),
    "two slashes": Wrong(
        "ls jobs --url sqlite://jobs.db", 2, "is not allowed", "(argument)", "three slashes"
    ),
    "another database": Wrong(
        "ls jobs",
        3,
        "'mysql://db/x' is not allowed",
        "(ROTULUS_URL)",
        "postgresql://user@host/database",
        environment={"ROTULUS_URL": "mysql://db/x"},
    ),
    "another library's URL": Wrong(
        "ls jobs",
        3,
        "'postgresql+psycopg://me@db/x' is not allowed",
        "(ROTULUS_URL)",
        "did you mean 'postgresql'?",
        environment={"ROTULUS_URL": "postgresql+psycopg://me:s3cret@db/x"},
    ),
    "a deadline of nothing": Wrong(
        "ls jobs --url postgresql://db/x?deadline=0",
        2,
        "deadline='0' has to be",
        "(argument)",
        "seconds, from 1 to 300",
    ),
    "a deadline of nothing, from outside": Wrong(
        "ls jobs",
        3,
        "deadline='0' has to be",
        "(ROTULUS_URL)",
        "seconds, from 1 to 300",
        environment={"ROTULUS_URL": "postgresql://db/x?deadline=0"},
    ),
    "a word behind the question mark": Wrong(
        "ls jobs --url postgresql://db/x?foo=1",
        4,
        'invalid URI query parameter: "foo"',
        "Cannot use postgresql://db/x",
        "Rotulus knows schema, listen and deadline",
    ),
    "a folder that is not there": Wrong(
        "ls jobs --url sqlite:///no/jobs.db", 4, "does not exist", "{folder}/no", "the folder"
    ),
    "a file that is not there yet": Wrong(
        "ls jobs",
        4,
        "There is no database",
        "{folder}/shop.db",
        "rotulus enqueue",
        environment=SHOP,
    ),
    "a file that is no database": Wrong(
        "ls jobs --url sqlite:///shop.py",
        4,
        "not a database",
        "shop.py",
        "give the name of another file, or move this one away",
    ),
    "a port where nobody listens": Wrong(
        "ls jobs --url postgresql://127.0.0.1:9/x",
        4,
        "refused",
        "Cannot use postgresql://127.0.0.1:9/x",
        "is the server running there",
    ),
    "a host that is none": Wrong(
        "ls jobs --url postgresql://nowhere.invalid/x",
        4,
        "resolve",
        "Cannot use postgresql://nowhere.invalid/x",
        "check the host in the URL",
    ),
}

SETTINGS = {
    "a variable misspelt": Wrong(
        "config",
        0,  # others may set variables of that prefix, so it is told and left out
        "There is no setting",
        "ROTULUS_PROCESES",
        "did you mean 'ROTULUS_PROCESSES'?",
        environment={"ROTULUS_PROCESES": "3"},
    ),
    "a key misspelt": Wrong(
        "config",
        3,
        "There is no setting 'slotz'",
        "{folder}/pyproject.toml [tool.rotulus]",
        "did you mean 'slots'?",
        files={"pyproject.toml": "[tool.rotulus]\nslotz = 3\n"},
    ),
    "a broken file": Wrong(
        "config",
        3,
        "is not valid TOML",
        "{folder}/pyproject.toml",
        "line 1",
        files={"pyproject.toml": "[tool.rotulus\n"},
    ),
    "a lease of nothing, from outside": Wrong(
        "ls jobs",
        3,
        "lease = '0' is not allowed",
        "(ROTULUS_LEASE)",
        "0.1 or more",
        environment={**SHOP, "ROTULUS_LEASE": "0"},
    ),
    "slots in words, from outside": Wrong(
        "config",
        3,
        "slots = 'many' is not allowed",
        "(ROTULUS_SLOTS)",
        "give a whole number from 1 to 10,000",
        environment={"ROTULUS_SLOTS": "many"},
    ),
    "a lease in words, from outside": Wrong(
        "config",
        3,
        "lease = 'long' is not allowed",
        "(ROTULUS_LEASE)",
        "give a number of seconds",
        environment={"ROTULUS_LEASE": "long"},
    ),
}

ROWS = {
    **APPS,
    **CALLS,
    **OPTIONS,
    **{name: row._replace(environment=SHOP) for name, row in VALUES.items()},
    **DECLARED,
    **STORES,
    **SETTINGS,
}


@pytest.mark.parametrize("row", ROWS.values(), ids=list(ROWS))
def test_an_answer_says_what_where_and_what_to_do(row, folder, tmp_path, caplog):
    """Of one line, or of a usage error, and with its exit code; nothing is made by asking."""
    for name, text in row.files.items():
        folder.write(name, text)
    environment = dict(row.environment)
    if row.source is not None:
        folder.write("wrong.py", f"{HEAD}{row.source}\n")
        environment.setdefault("ROTULUS_APP", "wrong:app")
    before = set(tmp_path.iterdir())
    words = row.words.split() if isinstance(row.words, str) else row.words
    answer = folder.rotulus(*words, **environment)

    assert row.code == answer.code, answer.text
    said = answer.text + caplog.text
    for piece in (row.what, row.where, row.do):
        expected = piece.replace("{folder}", str(tmp_path))
        assert expected in said, f"{expected!r} in {said}"
    assert "Traceback" not in answer.text
    assert "s3cret" not in answer.text
    assert set(tmp_path.iterdir()) - before <= {tmp_path / "__pycache__"}
