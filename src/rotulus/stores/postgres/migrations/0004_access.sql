-- When somebody drained a worker: it takes no more jobs, and ends. NULL: nobody did.
ALTER TABLE rotulus_workers ADD COLUMN draining_at bigint;

-- The tokens of services. The table has a hash of each secret, by which a token is recognised.
CREATE TABLE rotulus_tokens (
  name         text   NOT NULL PRIMARY KEY,
  hash         text   NOT NULL UNIQUE,       -- SHA-256 of the secret, hexadecimal
  role         text   NOT NULL,              -- viewer, operator, admin
  created_at   bigint NOT NULL,
  expires_at   bigint,                       -- NULL: never
  last_used_at bigint                        -- about: it is not written at each use
);

-- The audit: a row for each verb of an actor, written before the verb begins and completed after it.
CREATE TABLE rotulus_audit (
  id       bigint NOT NULL GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at       bigint NOT NULL,                  -- when it began
  actor    text   NOT NULL,
  door     text   NOT NULL,                  -- python, cli, http, mcp, django
  role     text,                             -- that the actor had; NULL: none was asked for
  verb     text   NOT NULL,                  -- jobs.cancel
  target   text,                             -- an id or a name, if there was one
  detail   text   NOT NULL DEFAULT '{}',     -- how it was called: a JSON object
  count    bigint,                           -- to how many it was done
  error    text,                             -- why it was not done
  ended_at bigint                            -- NULL: not yet, or its process died
);
CREATE INDEX rotulus_audit_at ON rotulus_audit (at);
CREATE INDEX rotulus_audit_actor ON rotulus_audit (actor, id);
CREATE INDEX rotulus_audit_verb ON rotulus_audit (verb, id);

-- The receivers that are told of changes by HTTP.
CREATE TABLE rotulus_webhooks (
  name       text    NOT NULL PRIMARY KEY,
  url        text    NOT NULL,
  events     text    NOT NULL,               -- a JSON array: job.failed, run.succeeded
  task       text,                           -- only of this task; 'mail.*' for a beginning
  queue      text,                           -- only of this queue
  labels     text,                           -- only with these labels, as JSON
  secret     text    NOT NULL,               -- whsec_ and base64
  old_secret text,                           -- signs, too, until then
  old_until  bigint,
  position   bigint  NOT NULL,               -- changes up to here have been dealt with
  missed_at  bigint,                         -- when changes were found to be missing
  slow_until bigint,                         -- nothing is sent before: the receiver asked for that
  paused_at  bigint,
  reason     text,                           -- why it is paused: 'gone', or NULL for an operator
  version    integer NOT NULL DEFAULT 1,     -- one more with each change of what it says
  changed    bigint  NOT NULL DEFAULT 0,     -- the revision of its last change
  created_at bigint  NOT NULL,
  updated_at bigint
);
CREATE INDEX rotulus_webhooks_changed ON rotulus_webhooks (changed);

-- Roles have the rights on these that their work needs; see `rotulus migrate --grants`. Secrets of webhooks are for
-- those who run them.
DO $$
DECLARE
  granted record;
BEGIN
  FOR granted IN
    SELECT quote_ident(pg_get_userbyid(item.grantee)) AS role, item.privilege_type AS privilege
    FROM pg_class AS jobs CROSS JOIN LATERAL aclexplode(jobs.relacl) AS item
    WHERE jobs.oid = 'rotulus_jobs'::regclass AND item.grantee NOT IN (0, jobs.relowner)
      AND item.privilege_type IN ('SELECT', 'INSERT', 'DELETE')
  LOOP
    CASE granted.privilege
    WHEN 'SELECT' THEN
      EXECUTE format('GRANT SELECT, UPDATE (last_used_at) ON rotulus_tokens TO %s', granted.role);
    WHEN 'INSERT' THEN
      EXECUTE format('GRANT SELECT, INSERT, UPDATE ON rotulus_audit TO %s', granted.role);
    WHEN 'DELETE' THEN
      EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON rotulus_audit, rotulus_webhooks TO %s', granted.role);
    END CASE;
  END LOOP;
END $$;
