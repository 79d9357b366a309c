"""`rotulus token`: what it prints, adds and removes, and what it says about what cannot be."""

import json

import pytest

from doors.shops import BOTH, opened
from doors.test_cli import SHOP, lines

pytestmark = pytest.mark.anywhere


@pytest.fixture(params=BOTH)
def shop(request, no_settings, tmp_path, monkeypatch):
    """An app with tables, and the program run on it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    with opened(tmp_path, SHOP, request.param) as made:
        made("migrate")
        yield made
        made.app.close()


def test_a_token_from_its_beginning_to_its_end(shop):
    """Its secret stands alone on stdout, once; it is listed, used and removed."""
    secret = shop("token", "add", "ci", "--role", "operator", "--expires", "90d").strip()
    assert "rotulus token rm ci" in shop.err
    assert secret not in shop.err
    assert "ci" == shop.app.tokens.find(secret).name
    [row] = map(json.loads, lines(shop("token", "ls", "--json")))
    assert ("ci", "operator", False) == (row["name"], row["role"], row["expired"])
    table = shop("token", "ls")
    assert "ci" in table
    assert "operator" in table
    assert secret not in table + json.dumps(row)

    told = json.loads(shop("token", "add", "ada", "--json"))
    assert ("ada", "viewer", None) == (told["name"], told["role"], told["expires_at"])
    assert "ada" == shop.app.tokens.find(told["secret"]).name
    assert "Removed 2 tokens: ci, ada." in shop("token", "rm", "ci", "ada")
    assert shop.app.tokens.find(secret) is None
    shop("token", "ls")
    assert "No tokens in" in shop.err


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("add", "ci", "--role", "king"), 2, "'viewer', 'operator', 'admin'"),
        (("add", "ci", "--expires", "soon"), 2, "soon"),
        (("add", "ci", "--expires", "0"), 2, "lets nobody in"),
        (("add", "a/b"), 2, "without a slash"),
        (("add", "local"), 2, "stands for senders without a token"),
        (("add", "there"), 3, "There is a token 'there' already"),
        (("rm", "their"), 5, "did you mean 'there'?"),
        (("rm",), 2, "NAME"),
    ],
)
def test_what_cannot_be_is_said(shop, words, code, says):
    """With an exit code that fits; and the token that is there stays."""
    shop("token", "add", "there")
    shop("token", *words, code=code)

    assert says in shop.err
    assert ["there"] == [token.name for token in shop.app.tokens.list()]


def test_the_audit_has_who_added_a_token_and_no_secret(shop):
    """On the command line that is the user who calls it."""
    secret = shop("token", "add", "ci", "--role", "admin").strip()
    shop("token", "rm", "ci")

    told = shop("audit", "--json")
    assert ["tokens.remove", "tokens.add"] == [json.loads(one)["verb"] for one in lines(told)]
    assert {"role": "admin"} == json.loads(lines(told)[1])["detail"]
    assert secret not in told
