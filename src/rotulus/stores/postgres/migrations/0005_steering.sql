-- Terms of limits that an operator has set: for all jobs with the key, they stand in place of the jobs' own ones.
-- NULL: the jobs' own.
CREATE TABLE rotulus_limit_terms (
  limit_key text    NOT NULL PRIMARY KEY,
  limit_to  integer,                         -- so many run at once; 0: none starts
  rate_to   integer,                         -- so many start within rate_per
  rate_per  bigint,                          -- a length of time
  set_at    bigint  NOT NULL,
  set_by    text,                            -- the actor; NULL: nobody has said
  CONSTRAINT some_terms_are_set CHECK (limit_to IS NOT NULL OR rate_to IS NOT NULL),
  CONSTRAINT terms_are_counts CHECK (limit_to >= 0 AND rate_to > 0 AND rate_per > 0),
  CONSTRAINT rate_has_a_window CHECK ((rate_to IS NULL) = (rate_per IS NULL))
);

-- Failure groups that are not news for a time.
CREATE TABLE rotulus_mutes (
  fingerprint text   NOT NULL PRIMARY KEY,
  until       bigint,                        -- NULL: for good
  muted_at    bigint NOT NULL,
  muted_by    text,                          -- the actor; NULL: nobody has said
  note        text                           -- why
);

-- What a worker runs, and how much memory it has. NULL: a worker of the version before does not tell.
ALTER TABLE rotulus_workers ADD COLUMN version text;           -- of the program
ALTER TABLE rotulus_workers ADD COLUMN rotulus text;
ALTER TABLE rotulus_workers ADD COLUMN python text;
ALTER TABLE rotulus_workers ADD COLUMN memory bigint;          -- resident bytes

CREATE TRIGGER note_change AFTER INSERT OR UPDATE OR DELETE ON rotulus_limit_terms
  FOR EACH ROW EXECUTE FUNCTION rotulus_note_change('limit', 'limit_key', 'set', 'unset', 'set');
CREATE TRIGGER note_change AFTER INSERT OR UPDATE OR DELETE ON rotulus_mutes
  FOR EACH ROW EXECUTE FUNCTION rotulus_note_change('failure', 'fingerprint', 'muted', 'unmuted', 'muted');

-- Roles that see jobs see both, and claims of a worker ask for the terms. Only the owner changes them.
DO $$
DECLARE
  granted record;
BEGIN
  FOR granted IN
    SELECT CASE item.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(item.grantee)) END AS role
    FROM pg_class AS jobs CROSS JOIN LATERAL aclexplode(jobs.relacl) AS item
    WHERE jobs.oid = 'rotulus_jobs'::regclass AND item.grantee <> jobs.relowner AND item.privilege_type = 'SELECT'
  LOOP
    EXECUTE format('GRANT SELECT ON rotulus_limit_terms, rotulus_mutes TO %s', granted.role);
  END LOOP;
END $$;
