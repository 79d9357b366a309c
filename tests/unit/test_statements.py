"""SQL in files: statements by name, and pieces that several of them share."""

import re
from pathlib import Path

import pytest

import rotulus.stores as package
from rotulus.stores._statements import load_statements

FOLDERS = sorted(Path(package.__file__).parent.glob("*/statements"))
SHARED = [path.read_text() for path in FOLDERS[0].parent.parent.glob("shared/statements/*.sql")]


@pytest.fixture
def load(tmp_path):
    """Loads statements from files, given by what they hold."""

    def write_and_load(*texts):
        for number, text in enumerate(texts):
            (tmp_path / f"{number}.sql").write_text(text)
        return dict(load_statements(tmp_path))

    return write_and_load


def test_a_statement_has_a_name_and_no_semicolon(load):
    """What a file says before the first of them is for readers."""
    text = "-- About.\n\n-- name: one\n-- Some.\nSELECT 1;\n\n-- name: two\nSELECT 2;\n"

    assert load(text) == {"one": "-- Some.\nSELECT 1", "two": "SELECT 2"}


def test_a_piece_is_put_in_wherever_it_is_asked_for(load):
    """Whichever file it stands in; what describes it stays there."""
    piece = "-- piece: fresh\n-- Not old:\n-- at all.\nage < :most\n"
    one = "-- name: one\nSELECT 1 WHERE {fresh} OR NOT {fresh};\n"

    assert load(one, piece) == {"one": "SELECT 1 WHERE age < :most OR NOT age < :most"}
    assert load(piece, one) == {"one": "SELECT 1 WHERE age < :most OR NOT age < :most"}


def test_a_piece_may_consist_of_others(load):
    """In any order."""
    text = "-- piece: a\n({b})\n-- piece: b\nx\n-- name: one\nSELECT {a};\n"

    assert load(text) == {"one": "SELECT (x)"}


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT '{fresh}', '{\"a\": {}}'::jsonb, '{}'::int[], '{1,2}'::int[]",
        "SELECT a #> '{b,c}', a ->> '$.b{fresh}', 'it''s {fresh}'",
        "-- It's {fresh}, and 'so on.\nSELECT 1",
        "SELECT a.{1} || {} || { fresh }",
    ],
)
def test_other_braces_are_left_alone(load, sql):
    """In texts, such as JSON, its paths and arrays; in comments; and around anything but a name."""
    assert load(f"-- piece: fresh\nage\n-- name: one\n{sql};\n") == {"one": sql}


def test_a_piece_that_is_not_there_is_an_error(load):
    """Which one, and where it was looked for; also when a piece asks for it."""
    with pytest.raises(ValueError, match=r"has no piece 'frehs': write it under a `-- piece:`"):
        load("-- piece: fresh\nage\n-- name: one\nSELECT {frehs};\n")
    with pytest.raises(ValueError, match="has no piece 'old'"):
        load("-- piece: fresh\n{old}\n-- name: one\nSELECT {fresh};\n")


@pytest.mark.parametrize("kind", ["name", "piece"])
def test_a_name_that_stands_twice_is_an_error(load, kind):
    """Of statements as of pieces, in one file or in several."""
    with pytest.raises(ValueError, match=f"holds the {kind} 'one' twice"):
        load(f"-- {kind}: one\nSELECT 1;\n", f"-- {kind}: one\nSELECT 2;\n")


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.parent.name)
def test_every_piece_of_ours_is_shared(folder):
    """What only one statement needs stands in it, unless each dialect has its own; with a word."""
    own = "".join(path.read_text() for path in folder.glob("*.sql"))
    pieces = re.findall(r"^-- piece: (\w+)\n(-- )?", own, re.MULTILINE)
    shared = folder.parent.name == "shared"
    users = (
        FOLDERS if shared else [folder, *(one for one in FOLDERS if one.parent.name == "shared")]
    )
    text = "".join(path.read_text() for user in users for path in user.glob("*.sql"))

    assert pieces
    assert [] == [name for name, comment in pieces if not comment]
    words = {name for name, _ in pieces if any(f"{{{name}}}" in other for other in SHARED)}
    assert [] == [n for n, _ in pieces if text.count(f"{{{n}}}") < 2 and (shared or n not in words)]
