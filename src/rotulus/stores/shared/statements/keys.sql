-- The keys that say which jobs are new.

-- name: release_keys
-- Keys that nobody holds any more: their job has ended, and their window is over.
UPDATE rotulus_jobs SET held_key = NULL
WHERE held_key {in_keys}
  AND ended_at IS NOT NULL
  AND (hold_until IS NULL OR hold_until <= {now});

-- name: holders
-- The jobs that hold keys.
SELECT {record} FROM rotulus_jobs AS job WHERE job.held_key {in_keys};
