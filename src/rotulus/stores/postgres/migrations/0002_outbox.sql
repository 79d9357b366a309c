-- Jobs that are carried to an endpoint outside: what is still to be published of them, and when.
CREATE TABLE rotulus_outbox (
  job          uuid    NOT NULL PRIMARY KEY,
  queue        text    NOT NULL,                  -- that of the job: its carrier's
  due_at       bigint  NOT NULL,                  -- nobody looks at it before
  published_at bigint,                            -- last; NULL: not since it was made
  tries        integer NOT NULL DEFAULT 0         -- how often it was taken to be published
);
CREATE INDEX rotulus_outbox_due ON rotulus_outbox (queue, due_at);

-- Roles have the rights on it that they have on the jobs, so that those who delete old jobs still can.
DO $$
DECLARE granted record;
BEGIN
  FOR granted IN
    SELECT CASE item.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(item.grantee)) END AS role,
      item.privilege_type AS privilege
    FROM pg_class AS jobs CROSS JOIN LATERAL aclexplode(jobs.relacl) AS item
    WHERE jobs.oid = 'rotulus_jobs'::regclass AND item.grantee <> jobs.relowner
      AND item.privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE')
  LOOP
    EXECUTE format('GRANT %s ON rotulus_outbox TO %s', granted.privilege, granted.role);
  END LOOP;
END $$;
