"""`rotulus store`: where the jobs live, how much room they take, and its migrations."""

import click

from rotulus._text.words import many
from rotulus.cli.output import json_option, print_facts, print_json, print_table
from rotulus.cli.tables import Column
from rotulus.cli.target import app_options, find_store
from rotulus.store import Rights, TableSize

_COLUMNS = (
    Column("table", fold=16),
    Column("rows", right=True),
    Column("size", right=True, optional=True),
)

_UNITS = ("kB", "MB", "GB", "TB")


@click.command()
@json_option
@app_options
def store(as_json: bool, target: str | None, url: str | None) -> None:
    """Show where the jobs live, how much room they take, and the rows of each table.

    Rows of a SQLite file are counted to 10,000. Those of PostgreSQL are its estimate.
    """
    app = find_store(target, url)
    where = app.store
    found, missing, rights = where.size(), where.migrate(apply=False), where.rights()
    if as_json:
        facts = {"url": where.url, "size": found.size}
        facts |= {"tables": [table._asdict() for table in found.tables]}
        facts |= {"migrations": found.migrations, "missing": missing}
        print_json(facts | {"rights": rights and rights._asdict()})
        return
    count = many(len(found.migrations), "migration")
    last = f"{count}, the last: {found.migrations[-1]}" if found.migrations else count
    facts = {"store": where.url, "size": size_text(found.size), "migrations": last}
    facts |= {"user": rights and _told(rights)}
    print_facts(facts | {"missing": ", ".join(missing) or None})
    click.echo()
    print_table(_COLUMNS, map(_row, found.tables), "It has no tables.")


def _told(rights: Rights) -> str:
    """Returns who the user of a store is, and what the user may do."""
    if rights.owner:
        return f"{rights.user}, who owns the tables"
    able = [role for role, missing in rights.missing.items() if not missing]
    return f"{rights.user}, who has the rights of a {' and of a '.join(able) or 'stranger'}"


def size_text(size: int) -> str:
    """Returns a number of bytes in its largest fitting unit."""
    number, shown = float(size), "bytes"
    for unit in _UNITS:
        if number < 1000:
            break
        number, shown = number / 1000, unit
    return f"{number:.0f} {shown}" if shown == "bytes" or number >= 10 else f"{number:.1f} {shown}"


def _row(table: TableSize) -> tuple[object, ...]:
    mark = "" if table.exact else "+" if table.size is None else "~"
    rows = f"{mark}{table.rows:,}" if mark == "~" else f"{table.rows:,}{mark}"
    return table.name, rows, None if table.size is None else size_text(table.size)
