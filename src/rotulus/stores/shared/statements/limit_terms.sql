-- Terms of limits that are set in place of those that jobs have.

-- piece: limit_terms_columns
-- The columns of terms, in the order in which they are read.
limit_key, limit_to, rate_to, rate_per, set_at, set_by

-- name: set_limit_terms
-- The terms of a key, in place of those that were set before.
INSERT INTO rotulus_limit_terms (limit_key, limit_to, rate_to, rate_per, set_at, set_by)
SELECT CAST(:key AS text), CAST(:limit_to AS integer), CAST(:rate_to AS integer), CAST(:rate_per AS bigint), now,
  CAST(:by AS text)
FROM {moment} WHERE true
ON CONFLICT (limit_key) DO UPDATE
SET limit_to = excluded.limit_to, rate_to = excluded.rate_to, rate_per = excluded.rate_per,
    set_at = excluded.set_at, set_by = excluded.set_by
RETURNING {limit_terms_columns};

-- name: unset_limit_terms
-- No terms of a key are set any more.
DELETE FROM rotulus_limit_terms WHERE limit_key = CAST(:key AS text);

-- name: limit_terms_of
-- The terms of a key.
SELECT {limit_terms_columns} FROM rotulus_limit_terms WHERE limit_key = CAST(:key AS text);

-- name: all_limit_terms
-- The terms of keys, in their order.
SELECT {limit_terms_columns} FROM rotulus_limit_terms ORDER BY limit_key LIMIT CAST(:most AS integer);

-- name: rate_window
-- The length of the window in which starts of a key are counted: as it is set, or else as its first job has it. If
-- none of its jobs waits or runs, others that will be due are looked for, until one with a rate is found.
SELECT coalesce(
  (SELECT rate_per FROM rotulus_limit_terms WHERE limit_key = CAST(:key AS text)),
  (SELECT rate_per FROM rotulus_jobs
   WHERE state = 'queued' AND limit_key = CAST(:key AS text) AND losses < 2
   ORDER BY priority DESC, seq LIMIT 1),
  (SELECT max(rate_per) FROM rotulus_jobs WHERE state = 'running' AND limit_key = CAST(:key AS text)),
  (SELECT rate_per FROM rotulus_jobs
   WHERE state = 'queued' AND losses >= 2 AND limit_key = CAST(:key AS text) AND rate_per IS NOT NULL
   ORDER BY priority DESC, seq LIMIT 1),
  (SELECT rate_per FROM rotulus_jobs
   WHERE state = 'delayed' AND limit_key = CAST(:key AS text) AND rate_per IS NOT NULL
   ORDER BY priority DESC, run_at LIMIT 1),
  (SELECT rate_per FROM rotulus_jobs
   WHERE state = 'blocked' AND limit_key = CAST(:key AS text) AND rate_per IS NOT NULL
   ORDER BY id LIMIT 1));

-- name: window_end
-- When a start counts no more that is made now.
SELECT {now} + CAST(:window AS bigint);

-- name: gather_late_starts
-- Starts that would count after a moment count until then: in a shorter window they are over by then.
INSERT INTO rotulus_starts AS start (limit_key, counts_until, starts)
SELECT limit_key, CAST(:until AS bigint), sum(starts) FROM rotulus_starts
WHERE limit_key = CAST(:key AS text) AND counts_until > CAST(:until AS bigint)
GROUP BY limit_key
ON CONFLICT (limit_key, counts_until) DO UPDATE SET starts = start.starts + excluded.starts;

-- name: forget_late_starts
-- Starts that would count after a moment count no more.
DELETE FROM rotulus_starts WHERE limit_key = CAST(:key AS text) AND counts_until > CAST(:until AS bigint);
