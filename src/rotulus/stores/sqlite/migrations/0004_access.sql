-- When somebody drained a worker: it takes no more jobs, and ends. NULL: nobody did.
ALTER TABLE rotulus_workers ADD COLUMN draining_at INTEGER;

-- The tokens of services. The table has a hash of each secret, by which a token is recognised.
CREATE TABLE rotulus_tokens (
  name         TEXT    NOT NULL PRIMARY KEY,
  hash         TEXT    NOT NULL UNIQUE,        -- SHA-256 of the secret, hexadecimal
  role         TEXT    NOT NULL,               -- viewer, operator, admin
  created_at   INTEGER NOT NULL,
  expires_at   INTEGER,                        -- NULL: never
  last_used_at INTEGER                         -- about: it is not written at each use
) STRICT;

-- The audit: a row for each verb of an actor, written before the verb begins and completed after it.
CREATE TABLE rotulus_audit (
  id       INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  at       INTEGER NOT NULL,                   -- when it began
  actor    TEXT    NOT NULL,
  door     TEXT    NOT NULL,                   -- python, cli, http, mcp, django
  role     TEXT,                               -- that the actor had; NULL: none was asked for
  verb     TEXT    NOT NULL,                   -- jobs.cancel
  target   TEXT,                               -- an id or a name, if there was one
  detail   TEXT    NOT NULL DEFAULT '{}',      -- how it was called: a JSON object
  count    INTEGER,                            -- to how many it was done
  error    TEXT,                               -- why it was not done
  ended_at INTEGER                             -- NULL: not yet, or its process died
) STRICT;
CREATE INDEX rotulus_audit_at ON rotulus_audit (at);
CREATE INDEX rotulus_audit_actor ON rotulus_audit (actor, id);
CREATE INDEX rotulus_audit_verb ON rotulus_audit (verb, id);

-- The receivers that are told of changes by HTTP.
CREATE TABLE rotulus_webhooks (
  name       TEXT    NOT NULL PRIMARY KEY,
  url        TEXT    NOT NULL,
  events     TEXT    NOT NULL,                 -- a JSON array: job.failed, run.succeeded
  task       TEXT,                             -- only of this task; 'mail.*' for a beginning
  queue      TEXT,                             -- only of this queue
  labels     TEXT,                             -- only with these labels, as JSON
  secret     TEXT    NOT NULL,                 -- whsec_ and base64
  old_secret TEXT,                             -- signs, too, until then
  old_until  INTEGER,
  position   INTEGER NOT NULL,                 -- changes up to here have been dealt with
  missed_at  INTEGER,                          -- when changes were found to be missing
  slow_until INTEGER,                          -- nothing is sent before: the receiver asked for that
  paused_at  INTEGER,
  reason     TEXT,                             -- why it is paused: 'gone', or NULL for an operator
  version    INTEGER NOT NULL DEFAULT 1,       -- one more with each change of what it says
  changed    INTEGER NOT NULL DEFAULT 0,       -- the revision of its last change
  created_at INTEGER NOT NULL,
  updated_at INTEGER
) STRICT;
CREATE INDEX rotulus_webhooks_changed ON rotulus_webhooks (changed);
