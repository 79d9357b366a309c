-- The audit: each verb, its actor, and how many it changed.

-- name: begin_audit
-- Something is about to be done.
INSERT INTO rotulus_audit (at, actor, door, role, verb, target, detail)
SELECT {now}, CAST(:actor AS text), CAST(:door AS text), CAST(:role AS text), CAST(:verb AS text),
  CAST(:target AS text), CAST(:detail AS text)
RETURNING id;

-- name: end_audit
-- It was done to so many, or ended with an error.
UPDATE rotulus_audit SET count = CAST(:count AS bigint), error = CAST(:error AS text), ended_at = {now}
WHERE id = CAST(:number AS bigint) AND ended_at IS NULL;

-- name: audit_before
-- The number of the last entry before a moment.
SELECT id FROM rotulus_audit WHERE at < CAST(:since AS bigint) ORDER BY at DESC LIMIT 1;

-- piece: audit_noun
-- Verbs of a noun, if one is given, and not before a moment.
(CAST(:noun AS text) IS NULL OR substr(verb, 1, length(CAST(:noun AS text))) = CAST(:noun AS text))
  AND at >= CAST(:since AS bigint)

-- name: audit
-- What was done last.
SELECT {audit_columns} FROM rotulus_audit
WHERE id > CAST(:first AS bigint) AND id < CAST(:before AS bigint) AND {audit_noun}
ORDER BY id DESC LIMIT CAST(:limit AS integer);

-- name: audit_of_verb
-- What was done last with one verb.
SELECT {audit_columns} FROM rotulus_audit WHERE {of_verb} AND at >= CAST(:since AS bigint)
ORDER BY verb DESC, id DESC LIMIT CAST(:limit AS integer);

-- name: audit_of_actor
-- What an actor has done last.
SELECT {audit_columns} FROM rotulus_audit
WHERE {of_actor} AND (CAST(:verb AS text) IS NULL OR verb = CAST(:verb AS text)) AND {audit_noun}
ORDER BY actor DESC, id DESC LIMIT CAST(:limit AS integer);

-- name: prune_audit
-- The first of the entries that began long ago.
DELETE FROM rotulus_audit WHERE id IN (
  SELECT id FROM rotulus_audit WHERE at < {now} - CAST(:kept AS bigint)
  ORDER BY at LIMIT CAST(:limit AS integer));
