-- Scheduled tasks.

-- name: remember_schedules
-- Scheduled tasks; what is new or changed stands since now.
INSERT INTO rotulus_schedules AS known ({entry_columns}, since)
SELECT {entry_columns}, {now} FROM {entry_rows} WHERE true ORDER BY name
ON CONFLICT (name) DO UPDATE
SET cron = excluded.cron, timezone = excluded.timezone, since = excluded.since
WHERE known.cron <> excluded.cron OR known.timezone <> excluded.timezone;

-- name: schedules
-- Since when some scheduled tasks stand as they do.
SELECT name, since FROM rotulus_schedules WHERE name {in_names};
