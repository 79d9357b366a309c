-- What keeps `rotulus_limit_heads`: a head never stands behind the first job of its key, queue and task, and one that is
-- closed stands at it. Only files in which many keys have had jobs waiting have these triggers.

CREATE TRIGGER IF NOT EXISTS rotulus_head_added AFTER INSERT ON rotulus_jobs
WHEN NEW.limit_key IS NOT NULL AND NEW.state = 'queued' AND NEW.losses < 2
BEGIN
  UPDATE rotulus_limit_heads SET opens_at = 0
  WHERE limit_key = NEW.limit_key AND opens_at IS NOT 0
    AND (priority < NEW.priority OR priority = NEW.priority AND seq > NEW.seq);
  INSERT INTO rotulus_limit_heads (limit_key, queue, task, priority, seq, run_at)
  VALUES (NEW.limit_key, NEW.queue, NEW.task, NEW.priority, NEW.seq, NEW.run_at)
  ON CONFLICT (limit_key, queue, task) DO UPDATE
  SET priority = excluded.priority, seq = excluded.seq, run_at = excluded.run_at, opens_at = 0
  WHERE excluded.priority > priority OR excluded.priority = priority AND excluded.seq < seq;
END;

-- A claim says itself how the keys of its jobs stand then.
CREATE TRIGGER IF NOT EXISTS rotulus_head_changed AFTER UPDATE OF state, priority ON rotulus_jobs
WHEN coalesce(OLD.limit_key, NEW.limit_key) IS NOT NULL
  AND CASE OLD.state WHEN 'queued' THEN NEW.state <> 'running'
                     WHEN 'running' THEN NEW.state <> 'running'
                     ELSE NEW.state = 'queued' END
BEGIN
  UPDATE rotulus_limit_heads SET opens_at = 0
  WHERE limit_key = OLD.limit_key AND opens_at IS NOT 0
    AND (OLD.state IN ('queued', 'running')
         OR priority < NEW.priority OR priority = NEW.priority AND seq > NEW.seq);
  INSERT INTO rotulus_limit_heads (limit_key, queue, task, priority, seq, run_at)
  SELECT NEW.limit_key, NEW.queue, NEW.task, NEW.priority, NEW.seq, NEW.run_at
  WHERE NEW.limit_key IS NOT NULL AND NEW.state = 'queued' AND NEW.losses < 2
  ON CONFLICT (limit_key, queue, task) DO UPDATE
  SET priority = excluded.priority, seq = excluded.seq, run_at = excluded.run_at, opens_at = 0
  WHERE excluded.priority > priority OR excluded.priority = priority AND excluded.seq < seq;
END;

CREATE TRIGGER IF NOT EXISTS rotulus_head_deleted AFTER DELETE ON rotulus_jobs
WHEN OLD.limit_key IS NOT NULL AND OLD.state IN ('queued', 'running')
BEGIN
  UPDATE rotulus_limit_heads SET opens_at = 0
  WHERE limit_key = OLD.limit_key AND opens_at IS NOT 0;
END;
