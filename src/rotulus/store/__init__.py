"""The contract of a store, and the values it speaks in."""

from rotulus._jobs.outcome import Outcome
from rotulus._jobs.record import JobRecord
from rotulus.store.contract import Store
from rotulus.store.outbox import Entry, Outbox
from rotulus.store.values import (
    EVERYTHING,
    Claim,
    ClaimFilter,
    Count,
    Filter,
    Fleet,
    NewJob,
    Recounted,
    Renewal,
    Renewed,
    ScheduleEntry,
    SettledAndClaimed,
    Terms,
    WorkerInfo,
)

__all__ = [
    "Claim",
    "Count",
    "EVERYTHING",
    "Entry",
    "Filter",
    "Fleet",
    "JobRecord",
    "NewJob",
    "Outbox",
    "Outcome",
    "Recounted",
    "Renewal",
    "Renewed",
    "ScheduleEntry",
    "Store",
    "Terms",
    "SettledAndClaimed",
    "ClaimFilter",
    "WorkerInfo",
]
