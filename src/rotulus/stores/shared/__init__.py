"""What stores do in the same way on SQLite and on PostgreSQL: SQL that is written once.

- `statements/`: statements for both, in words that each database puts in its own place.
- `dialect`: these words.
- `session`: how such statements are run.
- `actions`: cancel, retry, pause and delete.
"""
