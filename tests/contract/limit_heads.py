"""What has to be true of the heads of limit keys whenever nobody is claiming."""

import psycopg

_FORGOTTEN = """
WITH waiting AS (
  SELECT limit_key, queue, task, priority, seq FROM rotulus_jobs
  WHERE state = 'queued' AND limit_key IS NOT NULL AND losses < 2),
first AS (
  SELECT DISTINCT ON (limit_key) limit_key,
    coalesce(terms.limit_to, job.limit_to) AS limit_to, coalesce(terms.rate_to, job.rate_to) AS rate_to
  FROM rotulus_jobs AS job LEFT JOIN rotulus_limit_terms AS terms USING (limit_key)
  WHERE state = 'queued' AND limit_key IS NOT NULL AND losses < 2
  ORDER BY limit_key, priority DESC, seq),
with_room AS (
  SELECT limit_key FROM first
  WHERE coalesce(limit_to > (
      SELECT count(*) FROM rotulus_jobs AS job
      WHERE job.state = 'running' AND job.limit_key = first.limit_key), true)
    AND coalesce(rate_to > (
      SELECT coalesce(sum(starts), 0) FROM rotulus_starts AS start
      WHERE start.limit_key = first.limit_key AND counts_until > rotulus_now()), true)
    AND limit_key NOT IN (SELECT limit_key FROM rotulus_limit_heads WHERE queue = ''))
SELECT DISTINCT limit_key, queue, task FROM waiting WHERE NOT EXISTS (
  SELECT FROM rotulus_limit_heads AS head
  WHERE (head.limit_key, head.queue, head.task) = (waiting.limit_key, waiting.queue, waiting.task)
    AND (head.priority > waiting.priority
         OR head.priority = waiting.priority AND head.seq <= waiting.seq)
    AND (head.opens_at <= rotulus_now() OR waiting.limit_key NOT IN (SELECT limit_key FROM with_room)))
"""


def forgotten(url):
    """Keys, queues and tasks of jobs that wait, and that no claim would look at."""
    with psycopg.connect(url) as connection:
        return connection.execute(_FORGOTTEN).fetchall()
