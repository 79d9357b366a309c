"""The JSON schema of a job in answers of the service."""

from typing import Any

from rotulus import State
from rotulus.service.records import JobStatus

_TEXT: dict[str, Any] = {"type": ["string", "null"]}
_TIME: dict[str, Any] = {"type": ["string", "null"], "format": "date-time"}

JOB_SCHEMA: dict[str, Any] = {
    "type": "object",
    "title": "Job",
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "task": {"type": "string"},
        "queue": {"type": "string"},
        "state": {"type": "string", "enum": [state.value for state in State]},
        "status": {"type": "string", "enum": [status.value for status in JobStatus]},
        "reason": _TEXT,
        "description": _TEXT,
        "attempt": {"type": "integer"},
        "priority": {"type": "integer"},
        "key": _TEXT,
        "run": _TEXT,
        "step": _TEXT,
        "paused": {"type": "boolean"},
        "schedule": _TEXT,
        "instant": _TIME,
        "worker": _TEXT,
        "cancel_requested": {"type": "boolean"},
        "created_at": _TIME,
        "submitted_at": _TIME,
        "run_at": _TIME,
        "started_at": _TIME,
        "ended_at": _TIME,
        "finished_at": _TIME,
        "progress": {
            "type": ["object", "null"],
            "properties": {
                "done": {"type": "number"},
                "total": {"type": ["number", "null"]},
                "note": {"type": "string"},
            },
        },
        "error": {
            "type": ["object", "null"],
            "properties": {"type": {"type": "string"}, "message": {"type": "string"}},
        },
        "arguments": {"type": "object", "description": "Of a single job only."},
        "result": {"description": "Of a single job only."},
        "attempts": {"type": "array", "items": {"type": "object"}},
        "why": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["id", "task", "queue", "state", "status", "created_at"],
}

PAGE_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"items": {"type": "array", "items": JOB_SCHEMA}, "next": _TEXT},
    "required": ["items", "next"],
}
