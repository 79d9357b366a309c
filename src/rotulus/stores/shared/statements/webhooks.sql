-- Webhooks: who is told of changes by HTTP.

-- name: all_webhooks
-- Every webhook, by name.
SELECT {webhook_columns} FROM rotulus_webhooks ORDER BY name;

-- name: webhooks
-- Webhooks of these names.
SELECT {webhook_columns} FROM rotulus_webhooks WHERE name {in_names} ORDER BY name;

-- name: put_webhook
-- A webhook that is new, or has changed.
INSERT INTO rotulus_webhooks AS known ({webhook_columns})
SELECT {webhook_columns} FROM {webhook_rows} WHERE true
ON CONFLICT (name) DO UPDATE SET
  url = excluded.url, events = excluded.events, task = excluded.task, queue = excluded.queue,
  labels = excluded.labels, secret = excluded.secret, old_secret = excluded.old_secret,
  old_until = excluded.old_until, position = excluded.position, missed_at = excluded.missed_at,
  slow_until = excluded.slow_until, paused_at = excluded.paused_at, reason = excluded.reason,
  version = excluded.version, changed = excluded.changed, updated_at = excluded.updated_at;

-- name: remove_webhook
-- The webhook of a name is no more.
DELETE FROM rotulus_webhooks WHERE name = CAST(:name AS text);

-- name: advance_webhooks
-- Webhooks have been told of changes up to a position.
UPDATE rotulus_webhooks AS known
SET position = advance.position,
    missed_at = CASE WHEN advance.missed THEN {now} ELSE known.missed_at END
FROM {advance_rows}
WHERE known.name = advance.name;

-- name: slow_webhook
-- Nothing is sent for a webhook for so long.
UPDATE rotulus_webhooks
SET slow_until = {greatest}(coalesce(slow_until, 0), {now} + CAST(:microseconds AS bigint))
WHERE name = CAST(:name AS text);
