"""The migrations of Django make the same tables as `rotulus migrate`, whichever came first."""

import io

import pytest
from django.core.management import call_command
from django.db import connections
from django.db.migrations.exceptions import IrreversibleError
from django.db.migrations.recorder import MigrationRecorder

from django_project import database, postgres_settings, sqlite_settings
from rotulus.django import app_of, worker_app
from rotulus.errors import SchemaError
from rotulus.stores._migrations import known_migrations

MIGRATIONS = [migration.name for migration in known_migrations("postgres")]


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.anywhere)])
def empty(request, tmp_path):
    """An alias of a database of each kind without tables."""
    if request.param == "sqlite":
        given = sqlite_settings(tmp_path / "empty.db")
    else:
        given = postgres_settings(request.getfixturevalue("database"))
    with database("jobs", given):
        yield "jobs"


def migrate(alias, *words, **options):
    """What `manage.py migrate` of an alias says."""
    told = io.StringIO()
    call_command("migrate", *words, database=alias, stdout=told, **options)
    return told.getvalue()


def schema_of(alias):
    """Everything that there is in a database, as it says itself."""
    connection = connections[alias]
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE name LIKE 'rotulus%%'")
        else:
            cursor.execute(
                "SELECT table_name, column_name, data_type, is_nullable, column_default "
                "FROM information_schema.columns WHERE table_name LIKE 'rotulus%' "
                "UNION ALL SELECT indexname, indexdef, '', '', '' FROM pg_indexes "
                "WHERE tablename LIKE 'rotulus%'"
            )
        return sorted(map(str, cursor.fetchall()))


def ledger_of(alias):
    """The migrations that have been applied, with their checksums."""
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT name, checksum FROM rotulus_migrations ORDER BY number")
        return cursor.fetchall()


def test_there_is_a_migration_for_each_step():
    """A migration that is added to the stores is added here, too."""
    from django.db.migrations.loader import MigrationLoader

    names = [name for app, name in MigrationLoader(None).disk_migrations if app == "rotulus"]

    assert [migration.replace(" ", "_", 1) for migration in MIGRATIONS] == sorted(names)
    assert MIGRATIONS == [migration.name for migration in known_migrations("sqlite")]


def test_the_models_are_those_of_the_migrations():
    """`makemigrations --check` finds nothing."""
    call_command("makemigrations", "rotulus", check=True, dry_run=True, stdout=io.StringIO())


def test_django_makes_the_tables(empty):
    """And what is enqueued then is run."""
    migrate(empty)

    assert [] == app_of(empty).store.migrate(apply=False)
    with worker_app(empty) as worker:
        assert [] == worker.store.migrate(apply=False)


def test_both_ways_make_the_same_tables(tmp_path, empty, postgres):
    """Table by table, index by index, and migration by migration in the ledger."""
    migrate(empty, "rotulus")
    with postgres.database() as url:
        in_file = connections[empty].vendor == "sqlite"
        given = sqlite_settings(tmp_path / "other.db") if in_file else postgres_settings(url)
        with database("other", given):
            other = worker_app("other")
            other.store.migrate()
            other.close()

            assert schema_of(empty) == schema_of("other")
            assert ledger_of(empty) == ledger_of("other")


def test_a_step_that_rotulus_has_applied_is_only_noted(empty):
    """Django's migrations are applied after it, and change nothing."""
    worker = worker_app(empty)
    worker.store.migrate()
    worker.close()
    before = schema_of(empty)

    assert "Applying rotulus.0001_jobs... OK" in migrate(empty)
    assert before == schema_of(empty)
    assert MIGRATIONS == [name for name, _ in ledger_of(empty)]


def test_one_step_may_be_rotuluss_and_the_next_one_djangos(empty):
    """Each looks what is there."""
    migrate(empty, "rotulus", "0001")
    assert MIGRATIONS[:1] == [name for name, _ in ledger_of(empty)]
    with pytest.raises(SchemaError, match="0002 outbox"):
        app_of(empty).__enter__()
    worker = worker_app(empty)
    worker.store.migrate()
    worker.close()
    migrate(empty)

    assert MIGRATIONS == [name for name, _ in ledger_of(empty)]


def test_sqlmigrate_shows_our_sql(empty):
    """As the store would run it, with what is written into the ledger."""
    told = io.StringIO()
    call_command("sqlmigrate", "rotulus", "0001", database=empty, stdout=told)

    assert "CREATE TABLE rotulus_jobs" in told.getvalue()
    assert "INSERT INTO rotulus_migrations" in told.getvalue()
    with connections[empty].cursor() as cursor:
        tables = connections[empty].introspection.table_names(cursor)
    assert "rotulus_jobs" not in tables


def test_sqlmigrate_shows_indexes_after_the_transaction(empty):
    """On PostgreSQL; a file has them in its transaction."""
    told = io.StringIO()
    call_command("sqlmigrate", "rotulus", "0003", database=empty, stdout=told)
    inside, _, outside = told.getvalue().partition("COMMIT;")

    assert "BEGIN;" in inside
    assert "CONCURRENTLY" not in inside
    in_file = connections[empty].vendor == "sqlite"
    assert in_file != ("CREATE INDEX CONCURRENTLY" in outside)


@pytest.mark.parametrize("empty", ["postgres"], indirect=True)
def test_an_interrupted_migrate_goes_on_with_the_indexes(empty):
    """Django has not noted the migration then, and the tables are there."""
    migrate(empty, "rotulus", "0003")
    whole = schema_of(empty)
    MigrationRecorder(connections[empty]).record_unapplied("rotulus", "0003_operations")
    with connections[empty].cursor() as cursor:
        cursor.execute("DROP INDEX rotulus_jobs_key_id")
    assert "rotulus_jobs_key_id" not in str(schema_of(empty))

    assert "Applying rotulus.0003_operations... OK" in migrate(empty, "rotulus", "0003")
    assert whole == schema_of(empty)


def test_tables_are_not_taken_away(empty):
    """Jobs may be in them."""
    migrate(empty)

    with pytest.raises(IrreversibleError):
        migrate(empty, "rotulus", "zero")


def test_tables_of_another_build_are_left_alone(empty):
    """It says which migration is not ours."""
    migrate(empty, "rotulus", "0001")
    with connections[empty].cursor() as cursor:
        cursor.execute("UPDATE rotulus_migrations SET checksum = 'x'")

    with pytest.raises(SchemaError, match="another build"):
        migrate(empty)


class Nowhere:
    """A router that lets no job live in `jobs`."""

    def allow_migrate(self, alias, app_label, **_):
        """Not there."""
        return app_label != "rotulus" or alias != "jobs"


def test_a_router_says_which_databases_have_the_tables(empty, settings_with):
    """As it does for any model."""
    settings_with(DATABASE_ROUTERS=[Nowhere()])
    migrate(empty)

    with connections[empty].cursor() as cursor:
        tables = connections[empty].introspection.table_names(cursor)
    assert not [name for name in tables if name.startswith("rotulus")]
