"""What stores do in the same way on SQLite and on PostgreSQL.

- `store`: the methods of the contract that are the same.
- `actions`: cancel, retry, pause and delete. `reading`: get, count, fleet. `finding`: find.
  `keeping`: schedules, and what blocked jobs wait for. `adding`: a job with its parts. `outbox`:
  what is to be published.
- `statements/`: the SQL of these. `dialect`: the words in it that each database has of its own.
- `session`: how statements are run.
"""
