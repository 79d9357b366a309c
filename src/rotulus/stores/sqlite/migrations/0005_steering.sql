-- Terms of limits that an operator has set: for all jobs with the key, they stand in place of the jobs' own ones.
-- NULL: the jobs' own.
CREATE TABLE rotulus_limit_terms (
  limit_key TEXT    NOT NULL PRIMARY KEY,
  limit_to  INTEGER,                             -- so many run at once; 0: none starts
  rate_to   INTEGER,                             -- so many start within rate_per
  rate_per  INTEGER,                             -- a length of time
  set_at    INTEGER NOT NULL,
  set_by    TEXT,                                -- the actor; NULL: nobody has said
  CONSTRAINT some_terms_are_set CHECK (limit_to IS NOT NULL OR rate_to IS NOT NULL),
  CONSTRAINT terms_are_counts CHECK (limit_to >= 0 AND rate_to > 0 AND rate_per > 0),
  CONSTRAINT rate_has_a_window CHECK ((rate_to IS NULL) = (rate_per IS NULL))
) STRICT, WITHOUT ROWID;

-- Failure groups that are not news for a time.
CREATE TABLE rotulus_mutes (
  fingerprint TEXT    NOT NULL PRIMARY KEY,
  until       INTEGER,                           -- NULL: for good
  muted_at    INTEGER NOT NULL,
  muted_by    TEXT,                              -- the actor; NULL: nobody has said
  note        TEXT                               -- why
) STRICT, WITHOUT ROWID;

-- What a worker runs, and how much memory it has. NULL: a worker of the version before does not tell.
ALTER TABLE rotulus_workers ADD COLUMN version TEXT;           -- of the program
ALTER TABLE rotulus_workers ADD COLUMN rotulus TEXT;
ALTER TABLE rotulus_workers ADD COLUMN python TEXT;
ALTER TABLE rotulus_workers ADD COLUMN memory INTEGER;          -- resident bytes
