-- What writes changes while somebody listens. Nobody pays for it at other times: then there are no triggers.
-- A job that is due now is not worth a change: it is `queued` where it was `delayed`.

CREATE TRIGGER IF NOT EXISTS rotulus_note_added AFTER INSERT ON rotulus_jobs BEGIN
  INSERT INTO rotulus_changes (at, kind, name, what, task, queue)
  VALUES ({wall_clock}, 'job', NEW.id, NEW.state, NEW.task, NEW.queue);
END;

CREATE TRIGGER IF NOT EXISTS rotulus_note_changed AFTER UPDATE OF state, cancel_requested ON rotulus_jobs
WHEN NEW.state <> OLD.state AND NOT (OLD.state = 'delayed' AND NEW.state = 'queued')
  OR NEW.cancel_requested > OLD.cancel_requested
BEGIN
  INSERT INTO rotulus_changes (at, kind, name, what, task, queue)
  VALUES ({wall_clock}, 'job', NEW.id,
    CASE WHEN NEW.cancel_requested THEN 'cancelling' ELSE NEW.state END, NEW.task, NEW.queue);
END;

-- A job that is moved by a newer one with its key waits as before, but for something else.
CREATE TRIGGER IF NOT EXISTS rotulus_note_moved AFTER UPDATE OF arguments ON rotulus_jobs
WHEN NEW.state = OLD.state OR OLD.state = 'delayed' AND NEW.state = 'queued'
BEGIN
  INSERT INTO rotulus_changes (at, kind, name, what, task, queue)
  VALUES ({wall_clock}, 'job', NEW.id, NEW.state, NEW.task, NEW.queue);
END;

CREATE TRIGGER IF NOT EXISTS rotulus_note_deleted AFTER DELETE ON rotulus_jobs BEGIN
  INSERT INTO rotulus_changes (at, kind, name, what, task, queue)
  VALUES ({wall_clock}, 'job', OLD.id, 'deleted', OLD.task, OLD.queue);
END;

CREATE TRIGGER IF NOT EXISTS rotulus_note_paused AFTER INSERT ON rotulus_pauses BEGIN
  INSERT INTO rotulus_changes (at, kind, name, what, queue)
  VALUES ({wall_clock}, 'queue', NEW.queue, 'paused', NEW.queue);
END;

CREATE TRIGGER IF NOT EXISTS rotulus_note_resumed AFTER DELETE ON rotulus_pauses BEGIN
  INSERT INTO rotulus_changes (at, kind, name, what, queue)
  VALUES ({wall_clock}, 'queue', OLD.queue, 'resumed', OLD.queue);
END;

CREATE TRIGGER IF NOT EXISTS rotulus_note_worker AFTER INSERT ON rotulus_workers BEGIN
  INSERT INTO rotulus_changes (at, kind, name, what)
  VALUES ({wall_clock}, 'worker', NEW.name, 'started');
END;

CREATE TRIGGER IF NOT EXISTS rotulus_note_no_worker AFTER DELETE ON rotulus_workers BEGIN
  INSERT INTO rotulus_changes (at, kind, name, what)
  VALUES ({wall_clock}, 'worker', OLD.name, 'gone');
END;

CREATE TRIGGER IF NOT EXISTS rotulus_note_schedule AFTER INSERT ON rotulus_schedules BEGIN
  INSERT INTO rotulus_changes (at, kind, name, what)
  VALUES ({wall_clock}, 'schedule', NEW.name, 'added');
END;

CREATE TRIGGER IF NOT EXISTS rotulus_note_other_schedule AFTER UPDATE OF version ON rotulus_schedules
WHEN NEW.version <> OLD.version
BEGIN
  INSERT INTO rotulus_changes (at, kind, name, what)
  VALUES ({wall_clock}, 'schedule', NEW.name, 'changed');
END;

CREATE TRIGGER IF NOT EXISTS rotulus_note_no_schedule AFTER DELETE ON rotulus_schedules BEGIN
  INSERT INTO rotulus_changes (at, kind, name, what)
  VALUES ({wall_clock}, 'schedule', OLD.name, 'removed');
END;

CREATE TRIGGER IF NOT EXISTS rotulus_note_terms AFTER INSERT ON rotulus_limit_terms BEGIN
  INSERT INTO rotulus_changes (at, kind, name, what)
  VALUES ({wall_clock}, 'limit', NEW.limit_key, 'set');
END;

CREATE TRIGGER IF NOT EXISTS rotulus_note_other_terms AFTER UPDATE ON rotulus_limit_terms BEGIN
  INSERT INTO rotulus_changes (at, kind, name, what)
  VALUES ({wall_clock}, 'limit', NEW.limit_key, 'set');
END;

CREATE TRIGGER IF NOT EXISTS rotulus_note_no_terms AFTER DELETE ON rotulus_limit_terms BEGIN
  INSERT INTO rotulus_changes (at, kind, name, what)
  VALUES ({wall_clock}, 'limit', OLD.limit_key, 'unset');
END;

CREATE TRIGGER IF NOT EXISTS rotulus_note_mute AFTER INSERT ON rotulus_mutes BEGIN
  INSERT INTO rotulus_changes (at, kind, name, what)
  VALUES ({wall_clock}, 'failure', NEW.fingerprint, 'muted');
END;

CREATE TRIGGER IF NOT EXISTS rotulus_note_other_mute AFTER UPDATE ON rotulus_mutes BEGIN
  INSERT INTO rotulus_changes (at, kind, name, what)
  VALUES ({wall_clock}, 'failure', NEW.fingerprint, 'muted');
END;

CREATE TRIGGER IF NOT EXISTS rotulus_note_no_mute AFTER DELETE ON rotulus_mutes BEGIN
  INSERT INTO rotulus_changes (at, kind, name, what)
  VALUES ({wall_clock}, 'failure', OLD.fingerprint, 'unmuted');
END;
