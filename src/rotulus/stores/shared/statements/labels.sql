-- The labels by which jobs are found.

-- name: add_labels
-- The labels of those of some jobs that are here.
INSERT INTO rotulus_labels (label, job)
SELECT CAST(own.key || '=' || own.value AS text), job.{job}
FROM {each_ids} {join} rotulus_jobs AS job ON job.id = wanted.value CROSS JOIN {own_labels}
WHERE true
ON CONFLICT DO NOTHING;

-- name: delete_labels
-- Those of some jobs, which get others.
DELETE FROM rotulus_labels WHERE (label, job) IN (
  SELECT CAST(own.key || '=' || own.value AS text), job.{job}
  FROM {each_jobs} {join} rotulus_jobs AS job ON job.{job} = wanted.value CROSS JOIN {own_labels});
