"""Reconciliations and their findings in the database."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, literal, select, tuple_
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from payment_service.domain.escalations import escalation, subject_of
from payment_service.domain.ledger import Phase, TransactionKind, cash_clearing
from payment_service.domain.provider import RecordKind
from payment_service.domain.reconciliation import (
    KINDS,
    LOOKED_AT_AGAIN,
    REASON_OF,
    RECORD_KIND_OF,
    Counts,
    Currency,
    Difference,
    Finding,
    FindingState,
    InLedger,
    MovementKey,
    ReconciliationPosition,
    Span,
    StoredReconciliation,
    phase_sums,
)
from payment_service.persistence.escalations import close_escalations, open_escalation
from payment_service.persistence.finding_rows import finding_of, finding_values
from payment_service.persistence.reconciliation_tables import RECONCILIATION_FINDINGS, RECONCILIATIONS
from payment_service.persistence.tables import CHARGES, LEDGER_POSTINGS
from platform_contracts.identifiers import PLATFORM_TENANT
from platform_runtime.database import Database, upsert

_OF = RECONCILIATION_FINDINGS.c
_DONE = RECONCILIATIONS.c


class SqlReconciliations:
    """The port `Reconciliations` on SQLite and PostgreSQL."""

    def __init__(self, database: Database) -> None:
        """Keep them in the database."""
        self._database = database

    async def span(self, provider: str, *, run_id: str, until: datetime) -> Span:
        """Return what a run covers: from where the last one ended, or from the first charge, up to a moment."""
        async with self._database.read() as connection:
            since = await connection.scalar(
                select(func.max(_DONE.until)).where(_DONE.provider == provider, _DONE.run_id != run_id)
            )
            if since is None:
                since = await connection.scalar(
                    select(func.min(CHARGES.c.created_at)).where(CHARGES.c.provider == provider)
                )
        return Span(since=min(since or until, until), until=until)

    async def in_ledger(
        self, provider: str, keys: Sequence[MovementKey], *, before: datetime | None
    ) -> Mapping[MovementKey, InLedger]:
        """Return what the ledger has of each movement, posted before a moment or up to now; of each there is one."""
        if not keys:
            return {}
        of = LEDGER_POSTINGS.c
        group = (of.tenant, of.operation_id, of.kind, of.phase, of.currency, of.exponent)
        query = (
            select(*group, func.sum(of.minor_units).label("units"))
            .where(
                of.account == cash_clearing(provider),
                tuple_(of.tenant, of.operation_id).in_(sorted({(key.tenant, key.operation_id) for key in keys})),
            )
            .group_by(*group)
        )
        if before is not None:
            query = query.where(of.posted_at < before)
        sums: dict[MovementKey, Counter[tuple[Phase, Currency]]] = defaultdict(Counter)
        async with self._database.read() as connection:
            for row in (await connection.execute(query)).all():
                kind = RECORD_KIND_OF.get(TransactionKind(row.kind))
                if kind is not None:
                    key = MovementKey(kind=kind, tenant=row.tenant, operation_id=row.operation_id)
                    # PostgreSQL sums whole numbers to a decimal one.
                    sums[key][Phase(row.phase), (row.currency, row.exponent)] += int(row.units)
        return {key: phase_sums(sums[key], kind=key.kind) for key in keys}

    async def posted(self, provider: str, span: Span, *, limit: int, after: Any = None) -> tuple[set[MovementKey], Any]:
        """Return a page of what the ledger has posted in a span, and where it ended; None after the last page."""
        of = LEDGER_POSTINGS.c
        order = (of.posted_at, of.tenant, of.operation_id, of.kind, of.position)
        query = (
            select(*order)
            .where(
                of.account == cash_clearing(provider),
                of.posted_at >= span.since,
                of.posted_at < span.until,
                of.kind.in_(sorted(kind for kinds in KINDS.values() for kind in kinds)),
            )
            .order_by(*order)
            .limit(limit)
        )
        if after is not None:
            query = query.where(tuple_(*order) > _bound(order, after))
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        keys = {
            MovementKey(
                kind=RECORD_KIND_OF[TransactionKind(row.kind)], tenant=row.tenant, operation_id=row.operation_id
            )
            for row in rows
        }
        return keys, tuple(rows[-1]) if len(rows) == limit else None

    async def findings(self, provider: str, keys: Sequence[MovementKey]) -> Mapping[MovementKey, Finding]:
        """Return what is known of movements; nothing of those that no run has written down."""
        if not keys:
            return {}
        names = [(key.kind, key.tenant, key.operation_id) for key in keys]
        query = select(RECONCILIATION_FINDINGS).where(
            _OF.provider == provider, tuple_(_OF.kind, _OF.tenant, _OF.operation_id).in_(names)
        )
        async with self._database.read() as connection:
            found = [finding_of(row) for row in (await connection.execute(query)).all()]
        return {finding.key: finding for finding in found}

    async def to_look_at_again(
        self, provider: str, *, limit: int, after: MovementKey | None = None
    ) -> Sequence[Finding]:
        """Return a page of what is a difference, or on its way; those behind a movement."""
        order = (_OF.kind, _OF.tenant, _OF.operation_id)
        query = (
            select(RECONCILIATION_FINDINGS)
            .where(_OF.provider == provider, _OF.state.in_(sorted(LOOKED_AT_AGAIN)))
            .order_by(*order)
            .limit(limit)
        )
        if after is not None:
            query = query.where(tuple_(*order) > _bound(order, (after.kind, after.tenant, after.operation_id)))
        async with self._database.read() as connection:
            return [finding_of(row) for row in (await connection.execute(query)).all()]

    async def save(self, provider: str, findings: Sequence[Finding], *, now: datetime) -> None:
        """Write down how movements stand, and tell a person of those that differ for a second time, together."""
        if not findings:
            return
        key = ("provider", "kind", "tenant", "operation_id")
        async with self._database.write() as connection:
            for finding in findings:
                values = finding_values(provider, finding)
                await connection.execute(
                    upsert(connection, RECONCILIATION_FINDINGS)
                    .values(values)
                    .on_conflict_do_update(
                        index_elements=list(key),
                        set_={name: value for name, value in values.items() if name not in key},
                    )
                )
                if finding.difference is not None:
                    await _tell(connection, provider, finding, now=now)

    async def open_counts(self, provider: str) -> Counts:
        """Return how many differences there are now."""
        query = (
            select(_OF.state, _OF.difference, func.count())
            .where(_OF.provider == provider, _OF.state.in_([FindingState.OPEN, FindingState.ESCALATED]))
            .group_by(_OF.state, _OF.difference)
        )
        counts: Counter[str] = Counter()
        async with self._database.read() as connection:
            for state, difference, count in (await connection.execute(query)).all():
                counts[difference] += count
                counts[state] += count
        return Counts(
            missing=counts[Difference.MISSING],
            extra=counts[Difference.EXTRA],
            mismatched=counts[Difference.MISMATCHED],
            escalated=counts[FindingState.ESCALATED],
        )

    async def finish(self, done: StoredReconciliation) -> StoredReconciliation:
        """Write down what a run has found, once; return it as it stands after that."""
        counts = done.counts
        async with self._database.write() as connection:
            await connection.execute(
                upsert(connection, RECONCILIATIONS)
                .values(
                    run_id=done.run_id,
                    provider=done.provider,
                    since=done.span.since,
                    until=done.span.until,
                    matched=counts.matched,
                    missing=counts.missing,
                    extra=counts.extra,
                    mismatched=counts.mismatched,
                    escalated=counts.escalated,
                    finished_at=done.finished_at,
                )
                .on_conflict_do_nothing()
            )
        stored = await self.find(done.reconciliation_id)
        assert stored is not None, "none is ever deleted"
        return stored

    async def find(self, reconciliation_id: str) -> StoredReconciliation | None:
        """Return a finished one; None when there is none."""
        provider, _, run_id = reconciliation_id.partition("-")
        query = select(RECONCILIATIONS).where(_DONE.run_id == run_id, _DONE.provider == provider)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else _done(row)

    async def page(self, *, limit: int, after: ReconciliationPosition | None) -> Sequence[StoredReconciliation]:
        """Return at most `limit` finished ones, newest first; those after a position."""
        order = (_DONE.finished_at, _DONE.provider, _DONE.run_id)
        query = select(RECONCILIATIONS).order_by(*(column.desc() for column in order)).limit(limit)
        if after is not None:
            provider, _, run_id = after.reconciliation_id.partition("-")
            query = query.where(tuple_(*order) < _bound(order, (after.finished_at, provider, run_id)))
        async with self._database.read() as connection:
            return [_done(row) for row in (await connection.execute(query)).all()]

    async def differences_of(self, done: StoredReconciliation, *, limit: int) -> Sequence[Finding]:
        """Return the differences that this run was the last to see, those for a person first."""
        query = (
            select(RECONCILIATION_FINDINGS)
            .where(_OF.last_run == done.run_id, _OF.provider == done.provider, _OF.difference.is_not(None))
            .order_by(_OF.state, _OF.kind, _OF.tenant, _OF.operation_id)
            .limit(limit)
        )
        async with self._database.read() as connection:
            return [finding_of(row) for row in (await connection.execute(query)).all()]


def _bound(columns: Sequence[Any], values: Sequence[Any]) -> Any:
    return tuple_(*(literal(value, column.type) for column, value in zip(columns, values, strict=True)))


def _done(row: Row[Any]) -> StoredReconciliation:
    return StoredReconciliation(
        run_id=row.run_id,
        provider=row.provider,
        span=Span(since=row.since, until=row.until),
        counts=Counts(
            matched=row.matched,
            missing=row.missing,
            extra=row.extra,
            mismatched=row.mismatched,
            escalated=row.escalated,
        ),
        finished_at=row.finished_at,
    )


def _account_of(finding: Finding) -> str:
    """Return whose escalation it is; what the provider calls by no name of ours is the platform's own."""
    return finding.key.tenant[:40] or PLATFORM_TENANT


async def _tell(connection: AsyncConnection, provider: str, finding: Finding, *, now: datetime) -> None:
    """Tell a person of what differs for a second time, and that what they were told of is over."""
    assert finding.difference is not None, "who was told is told that it is over"
    subject, reason = _subject(finding), REASON_OF[finding.difference]
    if finding.state is FindingState.ESCALATED:
        others = set(REASON_OF.values()) - {reason}
        await close_escalations(connection, subject, *others, resolution=f"it is {finding.difference} by now", now=now)
        opened = escalation(
            reason,
            tenant=_account_of(finding),
            subject=subject,
            now=now,
            details=_details(provider, finding),
            # Settled, and different again later on, it has another first run: a person hears of it again.
            occurrence=finding.first_run,
        )
        await open_escalation(connection, opened)
    elif finding.state in {FindingState.SETTLED, FindingState.IN_FLIGHT}:
        resolution = "provider and ledger agree by now"
        await close_escalations(connection, subject, *REASON_OF.values(), resolution=resolution, now=now)


def _subject(finding: Finding) -> str:
    key = finding.key
    what = "charge" if key.kind is RecordKind.CAPTURE else key.kind
    return subject_of(what, tenant=_account_of(finding), name=key.operation_id)[:160]


def _details(provider: str, finding: Finding) -> Mapping[str, str]:
    details = {
        "provider": provider,
        "posted": str(finding.in_ledger.posted_minor_units),
        "pending": str(finding.in_ledger.pending_minor_units),
        "firstSeenAt": finding.first_seen_at.isoformat(),
    }
    record = finding.record
    if record is not None:
        details |= {
            "minorUnits": str(record.amount.minor_units),
            "currency": record.amount.currency,
            "status": record.status,
            "at": record.at.isoformat(),
        }
    return details
