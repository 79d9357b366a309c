-- How much room the tables take, and how much stands in them.

-- name: store_size
-- Their bytes, with those of their indexes.
SELECT sum(pg_total_relation_size(found.oid))::bigint
FROM pg_class AS jobs
JOIN pg_class AS found ON found.relnamespace = jobs.relnamespace AND found.relkind = 'r'
  AND starts_with(found.relname::text, 'rotulus')
WHERE jobs.oid = 'rotulus_jobs'::regclass;

-- name: table_sizes
-- Each table with its rows, as the database estimates them: it counts what is written. After a crash it has
-- the estimate of its last look at the table.
SELECT found.relname::text, greatest(coalesce(nullif(known.n_live_tup, 0), found.reltuples)::bigint, 0),
  false, pg_total_relation_size(found.oid)
FROM pg_class AS jobs
JOIN pg_class AS found ON found.relnamespace = jobs.relnamespace AND found.relkind = 'r'
  AND starts_with(found.relname::text, 'rotulus')
LEFT JOIN pg_stat_all_tables AS known ON known.relid = found.oid
WHERE jobs.oid = 'rotulus_jobs'::regclass
ORDER BY found.relname;
