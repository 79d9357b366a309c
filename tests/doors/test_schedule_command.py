"""`rotulus schedule` and `ls schedules`: what they print, change, and say about what cannot be."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest

from doors.shops import BOTH, opened
from doors.test_cli import SHOP, lines

pytestmark = pytest.mark.anywhere


@pytest.fixture(params=BOTH)
def shop(request, tmp_path, monkeypatch):
    """An app, and the program run on it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    with opened(tmp_path, SHOP, request.param) as made:
        made("migrate")
        yield made
        made.app.close()


def listed(shop):
    """The schedules by name."""
    rows = map(json.loads, lines(shop("ls", "schedules", "--json")))
    return {row["name"]: row for row in rows}


def test_a_schedule_from_its_beginning_to_its_end(shop):
    """Added, shown, changed, paused, resumed, run, filled and removed."""
    said = shop("schedule", "add", "mail-7", "emails.send", "user_id=7", "--cron", "0 5 * * *")
    assert "mail-7 fires emails.send: At 05:00 every day (UTC)" in said
    assert "next 20" in shop.err
    shown = listed(shop)
    assert {"tidy", "mail-7"} == set(shown)
    assert ({"user_id": 7}, "added", "active") == tuple(
        shown["mail-7"][name] for name in ("arguments", "origin", "state")
    )
    assert "emails.send" in shop("ls", "schedules")

    words = ("--every", "90", "--overlap", "skip", "--json")
    row = json.loads(shop("schedule", "set", "mail-7", *words))
    assert ("@every 90s", "skip", 2) == (row["cron"], row["overlap"], row["version"])
    shop("schedule", "set", "mail-7", "--args", '{"user_id": 8}', "--end", "2100-01-01T00:00")
    assert "2100-01-01T00:00:00+00:00" == listed(shop)["mail-7"]["end"]
    shop("schedule", "set", "mail-7", "--no-end")
    assert listed(shop)["mail-7"]["end"] is None
    assert "schedule resume mail-7 tidy" in shop("schedule", "pause", "mail-7", "tidy")
    assert {"paused"} == {row["state"] for row in listed(shop).values()}
    job = shop("schedule", "run", "mail-7").strip()
    nothing = shop("ls", "jobs", "--schedule", "mail-7", "--state", "failed") + shop.err
    assert "There is no schedule" not in nothing
    assert {"user_id": 8} == shop.app.get(job).arguments
    assert re.search(r"schedule +mail-7\n", shop("show", job))
    assert "Resumed tidy: next" in shop("schedule", "resume", "mail-7", "tidy")
    assert "removed" in shop("schedule", "remove", "mail-7", "--json")
    assert ["tidy"] == list(listed(shop))


def test_a_schedule_is_given_a_task_that_only_workers_have(shop):
    """With --unchecked."""
    shop("schedule", "add", "mail-7", "emails.send", "user_id=7", "--cron", "0 5 * * *")
    shop("schedule", "set", "mail-7", "--task", "emails.snd", code=5)
    assert "--unchecked" in shop.err
    shop("schedule", "set", "mail-7", "--task", "emails.snd", "--unchecked")
    assert "emails.snd" == listed(shop)["mail-7"]["task"]


def test_a_backfill_is_told_before_it_is_done(shop):
    """With the instants."""
    span = ("--since", "2026-01-05T00:00", "--until", "2026-01-08T00:00")
    said = shop("schedule", "backfill", "tidy", *span, "--dry-run")
    assert "3 instants of tidy would become jobs:" in said
    assert "2026-01-05 09:30:00Z" in said
    assert [] == shop.app.jobs()
    assert "3 instants of tidy have become jobs:" in shop("schedule", "backfill", "tidy", *span)
    assert 3 == len(shop.app.jobs(schedule="tidy"))
    again = json.loads(shop("schedule", "backfill", "tidy", *span, "--json"))
    assert {"dry_run": False, "instants": []} == again


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("add x emails.snd --every 5", 5, "did you mean 'emails.send'"),
        ("add x emails.send --every 5", 2, "'user_id'"),
        ("add x emails.send 7 --every 5", 2, "write NAME=VALUE instead of 7"),
        ("add x emails.send user_id=7", 2, "needs cron="),
        ("add x emails.send user_id=7 --cron nonsense", 2, "nonsense"),
        ("add x emails.send user_id=7 --every 5 --start soon", 2, "no ISO 8601 time"),
        ("add tidy emails.send user_id=7 --every 5", 3, "already"),
        ("set tidy --cron @daily", 3, "declared in code"),
        ("set nothing --cron @daily", 5, "no schedule 'nothing'"),
        ("set tidy", 2, "Nothing to change"),
        ("set tidy --args []", 2, "no JSON object"),
        ("remove tidy", 3, "declared in code"),
        ("pause tdy", 5, "did you mean 'tidy'"),
        ("run tdy", 5, "did you mean 'tidy'"),
        ("backfill tidy --since 2100-01-01", 2, "a time that is over"),
        ("ad", 2, "did you mean 'add'"),
    ],
)
def test_what_cannot_be_is_told_with_what_helps(shop, words, code, said):
    """On one line, with the exit code of its kind."""
    shop("schedule", *words.split(), code=code)

    assert said in shop.err


@pytest.mark.parametrize("verb", ["pause", "remove"])
def test_several_are_changed_or_none(shop, verb):
    """If one of them is not there, nothing is done, and it says so."""
    shop("schedule", "add", "mail-7", "emails.send", "user_id=7", "--cron", "0 5 * * *")
    before = listed(shop)
    shop("schedule", verb, "mail-7", "mail-8", code=5)

    assert "no schedule 'mail-8'" in shop.err
    assert before == listed(shop)


def test_a_zone_has_one_name(shop):
    """That of the library; a short form of it, and a hint for other words."""
    for option in ("--timezone", "--tz"):
        words = ("emails.send", "user_id=7", "--cron", "@daily", option, "Europe/London")
        added = json.loads(shop("schedule", "add", f"mail{option}", *words, "--json"))
        assert "Europe/London" == added["timezone"]
        assert "Europe/London" in shop("cron", "preview", "@daily", option, "Europe/London")
    for wrong in ("--zone", "--time-zone", "--timzone"):
        shop("schedule", "add", "x", "emails.send", wrong, "Europe/London", code=2)
        assert "did you mean '--timezone'?" in shop.err
    assert "--timezone" in shop("schedule", "add", "--help")


@pytest.mark.parametrize(
    ("since", "until"), [("14d", "0"), ("336h", "1min"), ("1209600", "1 s"), ("20160m", "0.5")]
)
def test_all_commands_look_back_in_the_same_words(shop, since, until):
    """`--since` and `--until`: so long ago, or a moment; with one help text."""
    now = datetime.now(UTC)
    begin, end = now - timedelta(days=14), now + timedelta(seconds=1)
    for words in (
        ["ls", "jobs", "--since", since, "--until", until],
        ["failures", "--since", since],
        ["stats", "--since", since],
        ["schedule", "backfill", "tidy", "--since", since, "--until", until, "--dry-run"],
    ):
        told = shop(*words)
        moments = {since: begin.isoformat(), until: end.replace(tzinfo=None).isoformat()}
        if "backfill" in words:
            moments[until] = now.isoformat()
        again = shop(*(moments.get(word, word) for word in words))
        assert told == again
    for command in (["ls", "jobs"], ["failures"], ["stats"], ["schedule", "backfill"]):
        said = " ".join(shop(*command, "--help").split())
        assert "90, 15min, 2h, 7d ago, or 2026-11-20T09:30 (UTC)" in said
        named = ["tidy"] if "backfill" in command else []
        for wrong in ("soon", "9d9", "99999999999999d"):
            shop(*command, *named, "--since", wrong, code=2)
            assert "is no time: write 90, 15min, 2h or 7d" in shop.err


def test_a_schedule_is_shown_with_its_next_instants(shop):
    """In its zone and in UTC, with the days at which clocks change; what it says comes first."""
    words = ("--cron", "30 1 * * *", "--timezone", "Europe/London", "--spread", "60")
    shop("schedule", "add", "late", "emails.send", "user_id=7", *words)
    after = ("--after", "2026-10-24T12:00", "--count", "2")
    text = shop("schedule", "show", "late", *after)

    assert re.search(r"^task +emails.send$", text, re.MULTILINE)
    assert re.search(r'^arguments +\{"user_id": 7\}$', text, re.MULTILINE)
    assert re.search(r"^spread +60 s$", text, re.MULTILINE)
    assert re.search(
        r"^Sun 2026-10-25 01:30 BST +2026-10-25 00:30Z +clocks go back 60 min", text, re.MULTILINE
    )
    assert re.search(r"^Mon 2026-10-26 01:30 GMT +2026-10-26 01:30Z$", text, re.MULTILINE)
    data = json.loads(shop("schedule", "show", "late", *after, "--json"))
    assert ["2026-10-25T01:30:00+01:00", "2026-10-26T01:30:00+00:00"] == data["instants"]
    assert ("late", "active") == (data["name"], data["state"])
    assert 5 == len(json.loads(shop("schedule", "show", "tidy", "--json"))["instants"])
    shop("schedule", "set", "late", "--end", "2026-01-01T00:00")
    shop("schedule", "show", "late")
    assert "It has no more instants." in shop.err
    shop("schedule", "show", "lat", code=5)
    assert "did you mean 'late'?" in shop.err
    shop("schedule", "show", "late", "--after", "soon", code=2)
    shop("schedule", "show", "late", "--count", "0", code=2)
