"""Activities that compare a provider's book with the ledger, and the ledger with itself."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

from pydantic import Field
from temporalio import activity

from payment_service.activities.charge_outcomes import ChargeOutcomes
from payment_service.domain.charges import UNRESOLVED, BooksDifferError, ChargeStatus
from payment_service.domain.escalations import EscalationReason, escalation
from payment_service.domain.provider import ProviderRecord, RecordKind
from payment_service.domain.reconciliation import (
    LOOKED_AT_AGAIN,
    Difference,
    Finding,
    FindingState,
    InLedger,
    MovementKey,
    Span,
    StoredReconciliation,
    difference,
    key_of,
    next_state,
)
from payment_service.ports import Charges, Escalations, ProviderRecords
from payment_service.reconciliation_ports import LedgerCheck, Reconciliations
from platform_contracts.identifiers import PLATFORM_TENANT
from platform_contracts.message import ContractModel
from platform_contracts.payment.reconciliation import ReconciliationResult

SLICE: Final = timedelta(hours=6)
"""What is compared at once of a longer span: the names of its movements are kept in memory."""

PAGE: Final = 200

_POINT: Final = timedelta(seconds=1)
"""Providers give times in seconds: within this much of its own a record is found again."""

_MAY_BE_CAPTURED: Final = UNRESOLVED | {ChargeStatus.AUTHORISED}


class Reconcile(ContractModel):
    """In which run."""

    run_id: Annotated[str, Field(max_length=36)]


class CheckLedger(ContractModel):
    """In which run."""

    run_id: str


class LedgerChecked(ContractModel):
    """What the ledger's check has found."""

    differences: int


class ReconciliationActivities:
    """What a run of reconciliation does."""

    def __init__(
        self,
        reconciliations: Reconciliations,
        providers: Sequence[ProviderRecords],
        *,
        charges: Charges,
        outcomes: ChargeOutcomes,
        ledger_check: LedgerCheck,
        escalations: Escalations,
        settling: timedelta,
        overlap: timedelta,
    ) -> None:
        """Compare with the books of these providers.

        Args:
            reconciliations: what runs have covered and found.
            providers: whose books.
            charges: to find what is known of a capture that the ledger does not have.
            outcomes: records what a provider says became of a charge.
            ledger_check: the ledger's own check.
            escalations: where a difference in the ledger itself goes.
            settling: how long a movement may take to be in both books; what is younger is left to the next run.
            overlap: how far before its span a run reads the provider again, for what was late in its book.
        """
        self._reconciliations = reconciliations
        self._providers = providers
        self._charges = charges
        self._outcomes = outcomes
        self._ledger_check = ledger_check
        self._escalations = escalations
        self._settling = settling
        self._overlap = overlap

    @activity.defn(name="payment.reconcile")
    async def reconcile(self, request: Reconcile) -> ReconciliationResult:
        """Compare what came since the last finished run, and look again at what differed or was on its way.

        A repeat compares the same again: the run is named in each finding, so that it counts as one that has seen it,
        and only a run that was finished moves the cut. A provider that it was finished at is not compared again.

        Raises:
            NoAnswerError: when a provider gave no answer; Temporal tries again.
        """
        done = [(await self._reconciled(provider, run_id=request.run_id)).counts for provider in self._providers]
        return ReconciliationResult(
            matched=sum(counts.matched for counts in done),
            missing=sum(counts.missing for counts in done),
            extra=sum(counts.extra for counts in done),
            mismatched=sum(counts.mismatched for counts in done),
            escalated=sum(counts.escalated for counts in done),
        )

    @activity.defn(name="payment.check_ledger")
    async def check_ledger(self, request: CheckLedger) -> LedgerChecked:
        """Check that the ledger sums to zero and that its balances are its postings; tell a person of what is not so.

        Nothing is mended here: that is an operator's command. A repeat tells of the same thing once. What a person was
        told of and is mended is resolved; what they resolved and is still so is told again by the next run.
        """
        found = await self._ledger_check.differences()
        # By how much belongs to it: a difference that changes is another one.
        subjects = {f"{each.what} {each.name} by {each.found - each.expected}"[:160]: each for each in found}
        await self._escalations.close_unless(
            EscalationReason.LEDGER_DRIFT, subjects=subjects, resolution="it adds up by now", now=_now()
        )
        for subject, each in subjects.items():
            await self._escalations.open(
                escalation(
                    EscalationReason.LEDGER_DRIFT,
                    tenant=PLATFORM_TENANT,
                    subject=subject,
                    now=_now(),
                    details={"expected": str(each.expected), "found": str(each.found), "run": request.run_id},
                    occurrence=request.run_id,
                )
            )
            activity.heartbeat()
        return LedgerChecked(differences=len(found))

    async def _reconciled(self, provider: ProviderRecords, *, run_id: str) -> StoredReconciliation:
        done = await self._reconciliations.find(f"{provider.name}-{run_id}")
        if done is None:
            now = _now()
            span = await self._reconciliations.span(provider.name, run_id=run_id, until=now - self._settling)
            comparison = _Comparison(self._reconciliations, provider, run_id=run_id)
            await comparison.compare(span, overlap=self._overlap)
            await self._look_again(comparison)
            counts = await self._reconciliations.open_counts(provider.name)
            done = await self._reconciliations.finish(
                StoredReconciliation(
                    run_id=run_id,
                    provider=provider.name,
                    span=span,
                    counts=replace(counts, matched=comparison.matched),
                    finished_at=_now(),
                )
            )
        return done

    async def _look_again(self, comparison: "_Comparison") -> None:
        """See whether what differed still does; an extra capture of a charge that has no outcome is recorded first."""
        after: MovementKey | None = None
        while True:
            page = await self._reconciliations.to_look_at_again(comparison.provider.name, limit=PAGE, after=after)
            for finding in page:
                if finding.key.kind is RecordKind.CAPTURE and finding.difference is Difference.EXTRA:
                    await self._record_outcome(finding.key)
            await comparison.look_again(page)
            if len(page) < PAGE:
                return
            after = page[-1].key

    async def _record_outcome(self, key: MovementKey) -> None:
        charge = await self._charges.find(tenant=key.tenant, operation_id=key.operation_id)
        if charge is None or charge.status not in _MAY_BE_CAPTURED:
            return
        try:
            await self._outcomes.settled(charge)
        except BooksDifferError:
            # It stays a difference, and a person is told of that.
            activity.logger.warning("reconciliation.not_recorded", extra={"operation_id": key.operation_id})


class _Comparison:
    """One run at one provider."""

    def __init__(self, reconciliations: Reconciliations, provider: ProviderRecords, *, run_id: str) -> None:
        self.provider = provider
        self.matched = 0
        self._reconciliations = reconciliations
        self._run_id = run_id

    async def compare(self, span: Span, *, overlap: timedelta) -> None:
        """Compare a span slice by slice, each as the ledger stood at its end; what is over the edge is looked at again.

        Both books grow while they are read, and a movement is in the one a little before it is in the other.
        """
        since, read_since = span.since, span.since - overlap
        while True:
            until = min(since + SLICE, span.until)
            seen = await self._read_provider(Span(since=read_since, until=until))
            await self._read_ledger(Span(since=since, until=until), seen)
            if until >= span.until:
                return
            since = read_since = until

    async def look_again(self, findings: Sequence[Finding]) -> None:
        """Ask the provider for each movement again, and compare it with the ledger as it is now."""
        for finding in findings:
            record = None if finding.record is None else await self._read_again(finding.record)
            in_ledger = await self._reconciliations.in_ledger(self.provider.name, [finding.key], before=None)
            await self._save([self._seen(finding.key, record, in_ledger[finding.key], known=finding)])

    async def _read_provider(self, span: Span) -> set[MovementKey]:
        seen: set[MovementKey] = set()
        page: dict[MovementKey, ProviderRecord] = {}
        async for record in self.provider.records(since=span.since, until=span.until):
            page[key_of(record)] = record
            if len(page) == PAGE:
                await self._compare_records(page, before=span.until)
                seen |= page.keys()
                page = {}
        await self._compare_records(page, before=span.until)
        return seen | page.keys()

    async def _compare_records(self, page: Mapping[MovementKey, ProviderRecord], *, before: datetime) -> None:
        known = await self._reconciliations.findings(self.provider.name, list(page))
        # What is looked at again is compared with the ledger as it is by then, at the end of the run.
        keys = [key for key in page if not _is_looked_at_again(known.get(key))]
        in_ledger = await self._reconciliations.in_ledger(self.provider.name, keys, before=before)
        found = [self._seen(key, page[key], in_ledger[key], known=known.get(key)) for key in keys]
        self.matched += sum(finding.difference is None or finding.state is FindingState.SETTLED for finding in found)
        # Most are captures, which a provider never changes: of those that match there is nothing to remember.
        await self._save(
            finding
            for finding in found
            if finding.state is not FindingState.MATCHED or finding.key.kind is not RecordKind.CAPTURE
        )

    async def _read_ledger(self, span: Span, seen: set[MovementKey]) -> None:
        """See what the ledger has posted and the provider does not have, or has changed long after it made it."""
        after = None
        while True:
            posted, after = await self._reconciliations.posted(self.provider.name, span, limit=PAGE, after=after)
            keys = sorted(posted - seen, key=lambda key: (key.kind, key.tenant, key.operation_id))
            known = await self._reconciliations.findings(self.provider.name, keys)
            await self.look_again([finding for finding in known.values() if finding.record is not None])
            unknown = [key for key in keys if key not in known]
            in_ledger = await self._reconciliations.in_ledger(self.provider.name, unknown, before=span.until)
            found = [self._seen(key, None, in_ledger[key], known=None) for key in unknown]
            await self._save(finding for finding in found if finding.difference is not None)
            if after is None:
                return

    async def _read_again(self, record: ProviderRecord) -> ProviderRecord | None:
        since = record.at.replace(microsecond=0)
        async for each in self.provider.records(since=since, until=since + _POINT):
            if key_of(each) == key_of(record):
                return each
        return None

    def _seen(
        self, key: MovementKey, record: ProviderRecord | None, in_ledger: InLedger, *, known: Finding | None
    ) -> Finding:
        now, differs = _now(), difference(record, in_ledger)
        state = next_state(differs, record, known=known, run_id=self._run_id)
        is_first = known is None or (
            state is FindingState.OPEN and known.state not in {FindingState.OPEN, FindingState.ESCALATED}
        )
        return Finding(
            key=key,
            state=state,
            # What it was stays, so that whoever was told of it can be told that it is over.
            difference=differs or (None if known is None else known.difference),
            record=record or (None if known is None else known.record),
            in_ledger=in_ledger,
            first_run=self._run_id if known is None or is_first else known.first_run,
            first_seen_at=now if known is None or is_first else known.first_seen_at,
            last_run=self._run_id,
            last_seen_at=now,
        )

    async def _save(self, findings: Iterable[Finding]) -> None:
        await self._reconciliations.save(self.provider.name, list(findings), now=_now())
        activity.heartbeat()


def _is_looked_at_again(known: Finding | None) -> bool:
    return known is not None and known.record is not None and known.state in LOOKED_AT_AGAIN


def _now() -> datetime:
    return datetime.now(UTC)
