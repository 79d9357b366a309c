-- Jobs that are carried to an endpoint outside: what is still to be published of them, and when.
CREATE TABLE rotulus_outbox (
  job          INTEGER NOT NULL PRIMARY KEY,      -- rotulus_jobs.seq
  queue        TEXT    NOT NULL,                  -- that of the job: its carrier's
  due_at       INTEGER NOT NULL,                  -- nobody looks at it before
  published_at INTEGER,                           -- last; NULL: not since it was made
  tries        INTEGER NOT NULL DEFAULT 0         -- how often it was taken to be published
) STRICT, WITHOUT ROWID;
CREATE INDEX rotulus_outbox_due ON rotulus_outbox (queue, due_at);
