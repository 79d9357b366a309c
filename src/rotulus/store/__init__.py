"""The contract of a store (`Transitions` and `Queries`), and the values it speaks in."""

from rotulus._jobs.log_line import LogRow
from rotulus._jobs.outcome import Outcome
from rotulus._jobs.record import Debounce, JobRecord
from rotulus.store.audit import Audit, AuditEntry, AuditFilter, AuditRow
from rotulus.store.changes import Change, Changes
from rotulus.store.contract import Store
from rotulus.store.counting import Counting
from rotulus.store.failures import FailureFilter, FailureGroup, FailureMember, Failures, Mute
from rotulus.store.groups import Groups
from rotulus.store.limit_terms import LimitTerms, SetTerms
from rotulus.store.logs import LogFilter, Logs
from rotulus.store.outbox import Entry, Outbox
from rotulus.store.queries import Queries
from rotulus.store.schedules import ADDED, CODE, Fired, ScheduleEntry, ScheduleRow, Schedules
from rotulus.store.stats import ENQUEUED, Stat, StatFilter, Stats, Total
from rotulus.store.tokens import TokenRow, Tokens
from rotulus.store.transitions import Transitions
from rotulus.store.values import (
    EVERYTHING,
    NOTHING,
    Alike,
    Backlog,
    Claim,
    ClaimFilter,
    Count,
    Edit,
    Filter,
    Fleet,
    Found,
    LimitUse,
    NewJob,
    Part,
    Recounted,
    Renewal,
    Renewed,
    Rights,
    SettledAndClaimed,
    StoreSize,
    TableSize,
    Tally,
    Terms,
    WorkerInfo,
)
from rotulus.store.webhooks import Advance, WebhookEntry, WebhookRow, Webhooks

__all__ = [
    "ADDED",
    "Advance",
    "Alike",
    "CODE",
    "Audit",
    "AuditEntry",
    "AuditFilter",
    "AuditRow",
    "Backlog",
    "Change",
    "Changes",
    "Claim",
    "Count",
    "Counting",
    "Debounce",
    "Edit",
    "ENQUEUED",
    "EVERYTHING",
    "Entry",
    "FailureFilter",
    "FailureGroup",
    "FailureMember",
    "Failures",
    "Filter",
    "Fired",
    "Fleet",
    "Found",
    "Groups",
    "JobRecord",
    "LimitTerms",
    "LimitUse",
    "LogFilter",
    "LogRow",
    "Logs",
    "NOTHING",
    "Mute",
    "NewJob",
    "Outbox",
    "Outcome",
    "Part",
    "Queries",
    "Recounted",
    "Renewal",
    "Renewed",
    "ScheduleEntry",
    "ScheduleRow",
    "Schedules",
    "Stat",
    "StatFilter",
    "Stats",
    "Store",
    "Rights",
    "StoreSize",
    "TableSize",
    "Tally",
    "Terms",
    "TokenRow",
    "Tokens",
    "Total",
    "SetTerms",
    "SettledAndClaimed",
    "ClaimFilter",
    "Transitions",
    "WebhookEntry",
    "WebhookRow",
    "Webhooks",
    "WorkerInfo",
]
