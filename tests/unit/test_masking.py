"""Secret values are hidden by their names and by their types, at any depth, and come back."""

from typing import Annotated

import pytest
from pydantic import BaseModel, Field, SecretStr, TypeAdapter, field_serializer

from rotulus._tasks.masking import MASK, MASKED_NAMES, MaskedNames
from rotulus._tasks.secret_schema import NOWHERE, secrets_of
from rotulus.errors import OptionError

pytestmark = pytest.mark.anywhere

NAMES = MaskedNames()


class Card(BaseModel):
    """Something with a secret in it, that its user writes as it is."""

    number: SecretStr
    holder: str = ""
    others: "list[Card]" = []

    @field_serializer("number")
    def plain(self, number: SecretStr) -> str:
        """The number."""
        return number.get_secret_value()


class Order(BaseModel):
    """Cards, in every kind of place."""

    card: Card | None = None
    cards: dict[str, Card] = {}
    pair: tuple[int, Card] | None = None
    pin: Annotated[str, Field(json_schema_extra={"writeOnly": True})] = ""
    note: str = ""


SECRETS = secrets_of(TypeAdapter(Order).json_schema())


@pytest.mark.parametrize(
    "name",
    [*MASKED_NAMES, "apiKey", "API-KEY", "stripe_api_key_2", "X-Auth-Token", "HTTPToken"]
    + ["Authorization", "clientSecret", "dbPassword", "TOKEN2", "user.password"],
)
def test_names_that_have_a_word_are_secret(name):
    """In any case, and however words are joined."""
    assert NAMES.hide(name) and NAMES.hide(name)


@pytest.mark.parametrize(
    "name",
    ["tokens", "max_tokens", "secretary", "api", "key", "keypad", "tokenize", "", "été", "7"],
)
def test_names_without_a_whole_word_are_not(name):
    """A part of a word is none."""
    assert not NAMES.hide(name)


def test_other_names_are_masked_if_they_are_given():
    """In place of the usual ones; what is no name is refused."""
    names = MaskedNames(["iban", "date of birth"])

    assert [True, True, False] == [names.hide(n) for n in ("IBAN", "dateOfBirth", "password")]
    with pytest.raises(OptionError, match="mask: '--' is not allowed"):
        MaskedNames(["--"])


def test_values_are_masked_by_names_at_any_depth():
    """Whole, whatever they are; what is None says so, and the value itself is not changed."""
    value = {"user": "ada", "password": {"a": [1]}, "list": [{"token": 7}, [{"cookie": "x"}], 1]}
    masked = {"user": "ada", "password": MASK, "list": [{"token": MASK}, [{"cookie": MASK}], 1]}

    assert masked == NAMES.masked(value)
    assert {"password": None} == NAMES.masked({"password": None})
    assert {"a": [1]} == value["password"]


def test_values_are_masked_by_types_at_any_depth():
    """In models, lists, mappings and tuples, and in what refers to itself."""
    card = {"number": "4711", "holder": "ada", "others": [{"number": "12", "others": []}]}
    hidden = {"number": MASK, "holder": "ada", "others": [{"number": MASK, "others": []}]}
    value = {"card": card, "cards": {"a": card}, "pair": [1, card], "pin": "1", "note": "4711"}

    assert {
        "card": hidden,
        "cards": {"a": hidden},
        "pair": [1, hidden],
        "pin": MASK,
        "note": "4711",
    } == NAMES.masked(value, SECRETS)
    assert NOWHERE is secrets_of(TypeAdapter(dict[str, int]).json_schema())


def test_what_was_masked_comes_back():
    """Where a `***` stands for a secret; anything else is what its sender means."""
    stored = {"password": "x", "card": {"number": "4711"}, "list": [{"token": 1}], "note": "a"}
    seen = NAMES.masked(stored, SECRETS)

    assert stored == NAMES.restored(seen, stored, SECRETS)
    sent = {**seen, "password": "new", "note": MASK, "list": [{"token": MASK}, {"token": MASK}]}
    assert {
        "password": "new",
        "card": {"number": "4711"},
        "list": [{"token": 1}, {"token": MASK}],
        "note": MASK,
    } == NAMES.restored(sent, stored, SECRETS)
    assert {"password": MASK} == NAMES.restored({"password": MASK}, {}, SECRETS)
    assert {"card": 1} == NAMES.restored({"card": 1}, stored, SECRETS)


@pytest.mark.parametrize(
    ("path", "leads"),
    [
        ("note", False),
        ("password", True),
        ("a.api_key.b", True),
        ("card", False),
        ("card.number", True),
        ("card.others.0.number", True),
        ("cards.x.number", True),
        ("pair.1.number", True),
        ("card.holder", False),
        ("pin.x", True),
    ],
)
def test_paths_that_lead_to_secrets_are_known(path, leads):
    """By name and by type, through lists and mappings."""
    assert leads is NAMES.leads_to_secret(path.split("."), SECRETS)
