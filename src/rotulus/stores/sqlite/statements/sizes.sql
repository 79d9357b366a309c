-- How much room the file takes, and how much stands in it.

-- name: store_size
-- Its bytes, without what waits to be moved into it.
SELECT page_count * page_size FROM pragma_page_count, pragma_page_size;

-- name: table_sizes
-- Its tables: how many rows each has, counted to `most`, and whether these are all. Nobody keeps account of bytes.
SELECT name, min(found, :most), found <= :most, NULL FROM (
SELECT 'rotulus_attempts' AS name, (SELECT count(*) FROM (SELECT 1 FROM rotulus_attempts LIMIT :most + 1)) AS found
UNION ALL
SELECT 'rotulus_audit' AS name, (SELECT count(*) FROM (SELECT 1 FROM rotulus_audit LIMIT :most + 1)) AS found
UNION ALL
SELECT 'rotulus_changes' AS name, (SELECT count(*) FROM (SELECT 1 FROM rotulus_changes LIMIT :most + 1)) AS found
UNION ALL
SELECT 'rotulus_jobs' AS name, (SELECT count(*) FROM (SELECT 1 FROM rotulus_jobs LIMIT :most + 1)) AS found
UNION ALL
SELECT 'rotulus_labels' AS name, (SELECT count(*) FROM (SELECT 1 FROM rotulus_labels LIMIT :most + 1)) AS found
UNION ALL
SELECT 'rotulus_limit_heads' AS name, (SELECT count(*) FROM (SELECT 1 FROM rotulus_limit_heads LIMIT :most + 1)) AS found
UNION ALL
SELECT 'rotulus_limit_terms' AS name, (SELECT count(*) FROM (SELECT 1 FROM rotulus_limit_terms LIMIT :most + 1)) AS found
UNION ALL
SELECT 'rotulus_limits_kept' AS name, (SELECT count(*) FROM (SELECT 1 FROM rotulus_limits_kept LIMIT :most + 1)) AS found
UNION ALL
SELECT 'rotulus_listening' AS name, (SELECT count(*) FROM (SELECT 1 FROM rotulus_listening LIMIT :most + 1)) AS found
UNION ALL
SELECT 'rotulus_logs' AS name, (SELECT count(*) FROM (SELECT 1 FROM rotulus_logs LIMIT :most + 1)) AS found
UNION ALL
SELECT 'rotulus_mutes' AS name, (SELECT count(*) FROM (SELECT 1 FROM rotulus_mutes LIMIT :most + 1)) AS found
UNION ALL
SELECT 'rotulus_needs' AS name, (SELECT count(*) FROM (SELECT 1 FROM rotulus_needs LIMIT :most + 1)) AS found
UNION ALL
SELECT 'rotulus_outbox' AS name, (SELECT count(*) FROM (SELECT 1 FROM rotulus_outbox LIMIT :most + 1)) AS found
UNION ALL
SELECT 'rotulus_pauses' AS name, (SELECT count(*) FROM (SELECT 1 FROM rotulus_pauses LIMIT :most + 1)) AS found
UNION ALL
SELECT 'rotulus_revisions' AS name, (SELECT count(*) FROM (SELECT 1 FROM rotulus_revisions LIMIT :most + 1)) AS found
UNION ALL
SELECT 'rotulus_schedules' AS name, (SELECT count(*) FROM (SELECT 1 FROM rotulus_schedules LIMIT :most + 1)) AS found
UNION ALL
SELECT 'rotulus_starts' AS name, (SELECT count(*) FROM (SELECT 1 FROM rotulus_starts LIMIT :most + 1)) AS found
UNION ALL
SELECT 'rotulus_stats' AS name, (SELECT count(*) FROM (SELECT 1 FROM rotulus_stats LIMIT :most + 1)) AS found
UNION ALL
SELECT 'rotulus_stats_new' AS name, (SELECT count(*) FROM (SELECT 1 FROM rotulus_stats_new LIMIT :most + 1)) AS found
UNION ALL
SELECT 'rotulus_tokens' AS name, (SELECT count(*) FROM (SELECT 1 FROM rotulus_tokens LIMIT :most + 1)) AS found
UNION ALL
SELECT 'rotulus_webhooks' AS name, (SELECT count(*) FROM (SELECT 1 FROM rotulus_webhooks LIMIT :most + 1)) AS found
UNION ALL
SELECT 'rotulus_workers' AS name, (SELECT count(*) FROM (SELECT 1 FROM rotulus_workers LIMIT :most + 1)) AS found)
ORDER BY name;
