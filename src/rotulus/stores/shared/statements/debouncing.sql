-- Jobs that wait with a key, and are moved by newer ones with that key.

-- piece: debounced_to
-- When such a job is due: so long after the newer one, and not later than so long after its own add.
CASE WHEN job.created_at + debounced.most < now + debounced.wait THEN job.created_at + debounced.most
     ELSE now + debounced.wait END

-- name: numbers
-- Some jobs as other tables know them; as values and no column, which a connection of an application may
-- convert.
SELECT coalesce(job.{job}, NULL) FROM {each_ids} {join} rotulus_jobs AS job ON job.id = wanted.value;

-- name: move_debounced
-- Jobs that have not begun are due at another moment, with what newer ones bring.
UPDATE rotulus_jobs AS job
SET arguments = debounced.arguments, labels = debounced.labels, headers = debounced.headers,
    run_at = {debounced_to},
    state = CASE WHEN job.state = 'blocked' THEN job.state
                 WHEN {debounced_to} > now THEN 'delayed'
                 ELSE 'queued' END,
    expires_at = {greatest}({debounced_to}, now) + debounced.expires
FROM {debounced_rows}, {moment}
WHERE job.id = debounced.id AND job.attempt = 0 AND NOT job.opened AND job.ended_at IS NULL;

-- name: let_go_of_keys
-- Jobs that have begun hold their keys no longer, so that newer ones are jobs of their own.
UPDATE rotulus_jobs SET held_key = NULL
WHERE id {in_ids} AND (attempt > 0 OR opened OR ended_at IS NOT NULL);
