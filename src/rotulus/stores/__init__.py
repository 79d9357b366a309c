"""The stores: SQLite and PostgreSQL, each a folder, both held to `rotulus.store`.

What a store does stands under the same name in both folders:

- `store`: the methods of the contract, and what each of them calls.
- `batches`: add. `claiming`: claim. `settling`: settle, and what becomes due by it. `actions`:
  cancel, retry, pause and delete. `outbox`: what is to be published.
- `statements/`: the SQL of these, as named statements, in files of the same names. `rows`: values
  as parameters, and answers as values.
- `connection`: connections of our own. `source`: whose connections calls run on. `joining`: a
  connection of an application.
- `migrations/`: the tables, one SQL file a migration. `migrate`: applies them.

What has nothing to do with a database stands beside the folders: `_columns` (the lists of columns,
from which SQL and rows are made), `_answers` (answers as values), `_parts` (runs), `_filters`
(find), `_statements` (reads the SQL files), `_migrations` (which of them are missing).

To add a column, begin at `JobRecord` in `rotulus._jobs.record`.
"""
