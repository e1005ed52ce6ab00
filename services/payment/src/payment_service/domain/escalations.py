"""Escalations: what cannot be resolved without a person, and why."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class EscalationReason(StrEnum):
    """Why a person is needed; the words are stored, and labels of a metric."""

    CHARGE_UNRESOLVED = "charge_unresolved"
    """The provider has not told for too long what became of a charge."""
    VOID_REFUSED = "void_refused"
    """What should be voided is captured."""
    REFUND_UNRESOLVED = "refund_unresolved"
    REFUND_FAILED = "refund_failed"
    DISPUTE_OPENED = "dispute_opened"
    PAYOUT_UNRESOLVED = "payout_unresolved"
    PAYOUT_FAILED = "payout_failed"
    ORPHANED_CAPTURE = "orphaned_capture"
    """A charge was captured whose purchase came to nothing."""
    MISSING_AT_PROVIDER = "missing_at_provider"
    """The ledger has a movement that the provider does not know."""
    EXTRA_AT_PROVIDER = "extra_at_provider"
    """The provider has a movement that the ledger does not know."""
    MISMATCHED = "mismatched"
    """Provider and ledger know a movement differently."""
    LEDGER_DRIFT = "ledger_drift"
    """The balances are not what the postings sum up to, or a sum is not zero."""
    EVENT_CONTRADICTS = "event_contradicts"
    """A provider event says what the provider itself, asked, does not."""
    EVENT_UNREADABLE = "event_unreadable"
    EVENT_NOT_APPLIED = "event_not_applied"
    """A provider event was tried for as long as anything is tried, and is put aside."""


@dataclass(frozen=True, kw_only=True)
class Escalation:
    """One thing that waits for a person, or did."""

    escalation_id: str
    tenant: str
    reason: EscalationReason
    subject: str
    """What it is about, for example `charge:buyers:p-1`; at most 160 characters."""
    details: Mapping[str, str] = field(default_factory=dict[str, str])
    """What helps to decide; no card data, no personal data."""
    opened_at: datetime
    resolved_at: datetime | None = None
    resolved_by: str | None = None
    resolution: str | None = None


@dataclass(frozen=True, kw_only=True)
class EscalationPosition:
    """Where a page of escalations ended."""

    opened_at: datetime
    escalation_id: str


class UnknownEscalationError(Exception):
    """There is no such escalation."""


class EscalationResolvedError(Exception):
    """The escalation was resolved before, in another way."""


def escalation_id(reason: EscalationReason, subject: str, occurrence: str = "") -> str:
    """Return the id of an escalation: one for a reason, a subject and an occurrence, so that a repeat opens no second.

    Most things come up once. What can come up again after it was resolved has an occurrence, which every repeat of the
    same one knows: the run of reconciliation that saw it first.
    """
    named = subject if not occurrence else f"{subject} {occurrence}"
    return f"{reason}-{hashlib.sha256(named.encode()).hexdigest()[:16]}"


def subject_of(what: str, *, tenant: str, name: str) -> str:
    """Return what an escalation is about, for example `charge:buyers:p-1`."""
    return f"{what}:{tenant}:{name}"


def escalation(
    reason: EscalationReason,
    *,
    tenant: str,
    subject: str,
    now: datetime,
    details: Mapping[str, str] | None = None,
    occurrence: str = "",
) -> Escalation:
    """Return a new escalation."""
    return Escalation(
        escalation_id=escalation_id(reason, subject, occurrence),
        tenant=tenant,
        reason=reason,
        subject=subject,
        details=details or {},
        opened_at=now,
    )
