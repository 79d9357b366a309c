-- Mutes: failure groups that are no news for a time.

-- piece: mute_columns
-- A mute, in the order of `Mute`.
fingerprint, until, muted_at, muted_by, note

-- piece: mute_is_over
-- The group is news again.
until <= {now}

-- name: mutes
-- The mutes that hold. They are few: people make them, one by one.
SELECT {mute_columns} FROM rotulus_mutes WHERE ({mute_is_over}) IS NOT TRUE ORDER BY fingerprint;

-- name: mute
-- A mute, in place of an earlier one of the group, unless it is over at once.
INSERT INTO rotulus_mutes (fingerprint, until, muted_at, muted_by, note)
SELECT CAST(:fingerprint AS text), CAST(:until AS bigint), now, CAST(:by AS text), CAST(:note AS text)
FROM {moment} WHERE (CAST(:until AS bigint) <= now) IS NOT TRUE
ON CONFLICT (fingerprint) DO UPDATE SET
  until = excluded.until, muted_at = excluded.muted_at, muted_by = excluded.muted_by, note = excluded.note
RETURNING {mute_columns};

-- name: unmute
-- A mute is deleted; whether it held.
DELETE FROM rotulus_mutes WHERE fingerprint = CAST(:fingerprint AS text)
RETURNING ({mute_is_over}) IS NOT TRUE;

-- name: delete_mutes_that_are_over
-- Mutes that do not hold any more.
DELETE FROM rotulus_mutes WHERE {mute_is_over};
