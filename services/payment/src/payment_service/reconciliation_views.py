"""What the payment service shows of its reconciliations to the gateway."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from pydantic import SecretStr
from starlette.routing import BaseRoute

from payment_service.domain.reconciliation import Finding, ReconciliationPosition, StoredReconciliation
from payment_service.reconciliation_ports import Reconciliations
from platform_contracts.identifiers import PLATFORM_TENANT
from platform_contracts.payment.reconciliation_views import (
    RECONCILIATION,
    RECONCILIATIONS,
    ReconciliationAnswer,
    ReconciliationFinding,
    ReconciliationQuery,
    ReconciliationsPage,
    ReconciliationsQuery,
    ReconciliationView,
)
from platform_runtime.internal_app import view_route
from platform_runtime.page_cursor import InvalidCursorError, decode_cursor, encode_cursor

_MOST_FINDINGS: Final = 200


def reconciliation_views(reconciliations: Reconciliations, *, token: SecretStr | None) -> Sequence[BaseRoute]:
    """Return the routes of these views."""

    async def page(tenant: str, query: ReconciliationsQuery) -> ReconciliationsPage:
        return await read_reconciliations(reconciliations, tenant, query)

    async def one(tenant: str, query: ReconciliationQuery) -> ReconciliationAnswer:
        return await read_reconciliation(reconciliations, tenant, query)

    return [view_route(RECONCILIATIONS, page, token=token), view_route(RECONCILIATION, one, token=token)]


async def read_reconciliations(
    reconciliations: Reconciliations, tenant: str, query: ReconciliationsQuery
) -> ReconciliationsPage:
    """Return a page of reconciliations, newest first; they are nobody's but the platform's own.

    Raises:
        InvalidCursorError: when the cursor is none of this view.
    """
    if tenant != PLATFORM_TENANT:
        return ReconciliationsPage(reconciliations=())
    after = None
    if query.cursor is not None:
        finished_at, reconciliation_id = decode_cursor(query.cursor, parts=2)
        after = ReconciliationPosition(finished_at=_moment(finished_at), reconciliation_id=reconciliation_id)
    found = await reconciliations.page(limit=query.limit + 1, after=after)
    page = found[: query.limit]
    return ReconciliationsPage(
        reconciliations=tuple(_shown(done) for done in page),
        next_cursor=encode_cursor(page[-1].finished_at.isoformat(), page[-1].reconciliation_id)
        if len(found) > len(page)
        else None,
    )


async def read_reconciliation(
    reconciliations: Reconciliations, tenant: str, query: ReconciliationQuery
) -> ReconciliationAnswer:
    """Return a reconciliation with its findings; None where there is none, or it is not the asker's."""
    done = await reconciliations.find(query.reconciliation_id) if tenant == PLATFORM_TENANT else None
    if done is None:
        return ReconciliationAnswer(reconciliation=None)
    found = await reconciliations.differences_of(done, limit=_MOST_FINDINGS)
    return ReconciliationAnswer(reconciliation=_shown(done), findings=tuple(_finding(each) for each in found))


def _shown(done: StoredReconciliation) -> ReconciliationView:
    return ReconciliationView(
        reconciliation_id=done.reconciliation_id,
        provider=done.provider,
        since=done.span.since,
        until=done.span.until,
        finished_at=done.finished_at,
        matched=done.counts.matched,
        missing=done.counts.missing,
        extra=done.counts.extra,
        mismatched=done.counts.mismatched,
        escalated=done.counts.escalated,
    )


def _finding(finding: Finding) -> ReconciliationFinding:
    assert finding.difference is not None, "only differences are asked for"
    record = finding.record
    return ReconciliationFinding(
        kind=finding.key.kind,
        account=finding.key.tenant or None,
        name=finding.key.operation_id,
        difference=finding.difference,
        state=finding.state,
        at_provider=None if record is None else record.amount,
        status_at_provider=None if record is None else record.status,
        posted=finding.in_ledger.posted_minor_units,
        pending=finding.in_ledger.pending_minor_units,
        first_seen_at=finding.first_seen_at,
        last_seen_at=finding.last_seen_at,
    )


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidCursorError from None
    if moment.tzinfo is None:
        raise InvalidCursorError
    return moment
