"""The stores: SQLite and PostgreSQL, each a folder, both held to `rotulus.store`.

`shared/` has what both do in the same way: operator actions, reading, schedules, the outbox, and
the statements of these, which are written once. Hot is what workers run for each job, and that is
written for each database. It stands under the same name in both folders:

- `store`: the methods of the contract that differ, and what each of them calls.
- `batches`: add. `claiming`: claim, and take what is to be published. `settling`: settle, with what
  becomes due by it, and rescue.
- `statements/`: the SQL of these, as named statements. `session`: runs statements. `rows`: values
  as parameters, and answers as values.
- `connection`: connections of our own. `source`: whose connections calls run on. `joining`: a
  connection of an application.
- `migrations/`: the tables, one SQL file a migration. `migrate`: applies them.

What has nothing to do with a database stands beside the folders: `_columns` (the lists of columns,
from which SQL and rows are made), `_statements` (reads the SQL files),
`_migrations` (which of them are missing).

To add a column, begin at `JobRecord` in `rotulus._jobs.record`.
"""
