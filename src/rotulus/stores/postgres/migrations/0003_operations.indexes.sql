-- The indexes on rotulus_jobs of migration 0003, one statement at a time, outside of any transaction. Each statement
-- may be repeated. An index that changes is built under a new name, and the old one is dropped after that.

-- Jobs that failed or died, by their failure group. Only the end of such a job writes here.
CREATE INDEX CONCURRENTLY IF NOT EXISTS rotulus_jobs_failures ON rotulus_jobs (fingerprint, task, ended_at)
  WHERE state IN ('failed', 'dead') AND fingerprint IS NOT NULL;

-- What went wrong, the last added first. A job that succeeds writes nothing here.
CREATE INDEX CONCURRENTLY IF NOT EXISTS rotulus_jobs_unsuccessful ON rotulus_jobs (state, id)
  WHERE ended_at IS NOT NULL AND state || '' <> 'succeeded';

-- In their order, so that the last firings of a schedule are read, and not all of them; and the last jobs of a
-- key, and of a run. The index of steps is not for those who do not name one: they would read all of a run.
CREATE INDEX CONCURRENTLY IF NOT EXISTS rotulus_jobs_schedule_id ON rotulus_jobs (schedule, id)
  WHERE schedule IS NOT NULL;
DROP INDEX CONCURRENTLY IF EXISTS rotulus_jobs_schedule;
CREATE INDEX CONCURRENTLY IF NOT EXISTS rotulus_jobs_key_id ON rotulus_jobs (key, id)
  WHERE key IS NOT NULL;
DROP INDEX CONCURRENTLY IF EXISTS rotulus_jobs_key;
CREATE INDEX CONCURRENTLY IF NOT EXISTS rotulus_jobs_step ON rotulus_jobs (run, step)
  WHERE step IS NOT NULL;
CREATE INDEX CONCURRENTLY IF NOT EXISTS rotulus_jobs_run_id ON rotulus_jobs (run, id)
  WHERE run IS NOT NULL;
DROP INDEX CONCURRENTLY IF EXISTS rotulus_jobs_run;
