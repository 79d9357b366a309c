"""What stores do in the same way on SQLite and on PostgreSQL.

- `store`: the methods of the contract that are the same.
- `actions`: cancel, retry, pause and delete. `reading`: get, find, count and fleet. `adding`: a job
  with its parts. `outbox`: what is to be published.
- `statements/`: the SQL of these. `dialect`: the words in it that each database has of its own.
- `session`: how statements are run.
"""
