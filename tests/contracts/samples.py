"""One instance of every message, with a value in each field that can have one."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from platform_contracts import memo
from platform_contracts.analytics import event_intake, record_events, rollup
from platform_contracts.analytics import views as analytics_views
from platform_contracts.analytics.events import event_of
from platform_contracts.listing import archival, close_purchase, listing_draft, publication, purchase
from platform_contracts.listing import views as listing_views
from platform_contracts.message import ContractModel
from platform_contracts.money import Money
from platform_contracts.payment import (
    charge,
    charge_resolution,
    charge_settlement,
    charge_void,
    dispute,
    escalation_resolution,
    partner_payout,
    payout_plan_change,
    payout_run,
    payout_sync,
    payout_views,
    provider_event,
    reconciliation,
    reconciliation_views,
    refund,
)
from platform_contracts.payment import views as payment_views
from platform_contracts.user import notification, partner_capabilities, user_onboarding
from platform_contracts.user import views as user_views

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)

_EVENT = event_of(tenant="acme", event_type="user.onboarded", subject_id="u-1", occurred_at=NOON)
_DETAILS = user_onboarding.UserPersonalDetails(email="ada@example.com", name="Ada")
_BY_EMAIL = notification.Delivery(
    channel=notification.Channel.EMAIL,
    status=notification.DeliveryStatus.SKIPPED,
    reason=notification.DeliveryReason.NO_ADDRESS,
)
_PREFERENCES = user_views.Preferences(email_enabled=True)
_ACCOUNT = user_views.Account(
    user_id="u-1", status=user_onboarding.AccountStatus.ACTIVE, created_at=NOON, preferences=_PREFERENCES
)
_INBOX_MESSAGE = user_views.InboxMessage(
    notification_id="n-1", type="info", subject="For your information", body="It is noon.", delivered_at=NOON
)
_COUNT = analytics_views.EventCount(type="user.onboarded", period_start=NOON, count=3)
_PRICE = Money(minor_units=1250, currency="JPY", exponent=0)
_LISTING_DETAILS = listing_draft.ListingDetails(title="Teapot", description="Short and stout.", price=_PRICE, stock=3)
_DECISION = publication.ReviewDecision(reviewer_id="r-1", approved=False, reason="No picture.")
_LINE = purchase.PurchaseLine(seller="acme", listing_id="teapot", quantity=2)
_STOCK = listing_views.Stock(available=1, held=0, sold=2)
_LISTING = listing_views.ListingView(
    listing_id="teapot",
    title="Teapot",
    description="Short and stout.",
    price=_PRICE,
    status=listing_draft.ListingStatus.PUBLISHED,
    stock=_STOCK,
)
_PURCHASE_LINE = listing_views.PurchaseLineView(seller="acme", listing_id="teapot", quantity=2, price=_PRICE)
_PURCHASE = listing_views.PurchaseView(
    purchase_id="p-1",
    buyer_id="b-1",
    state=listing_views.PurchaseState.SOLD,
    total=_PRICE.times(2),
    lines=(_PURCHASE_LINE,),
    reserved_at=NOON,
)
_SALE = listing_views.Sale(purchase_id="p-1", listing_id="teapot", quantity=2, price=_PRICE, sold_at=NOON)

_EUROS = Money(minor_units=1999, currency="EUR", exponent=2)
_SHARE = charge.ChargeShare(seller="acme", amount=_EUROS)
_DETAIL = payment_views.EscalationDetail(name="provider", value="acquirer")
_ESCALATION = payment_views.EscalationView(
    escalation_id="charge_unresolved-5f2b8d1e9c4a7036",
    account="buyers",
    reason="charge_unresolved",
    subject="charge:buyers:p-1",
    details=(_DETAIL,),
    opened_at=NOON,
    resolved_at=NOON,
    resolved_by="user:grace",
    resolution="The acquirer was called.",
)
_REDRIVE = provider_event.Redrive(operator_id="user:grace", reason="The adapter is mended.")
_CHARGE = payment_views.Charge(operation_id="p-1", status=charge.ChargeStatus.CAPTURED, amount=_EUROS)
_RECONCILED = reconciliation.ReconciliationResult(
    matched=5, missing=1, extra=2, mismatched=3, escalated=4, ledger_differences=6, orphans_asked=7, orphans_settled=8
)
_ORPHANS = reconciliation.OrphansPosition(after="abc", asked=7, settled=8)
_RECONCILIATION = reconciliation_views.ReconciliationView(
    reconciliation_id="acquirer-0f6e7b1c-2d3a-4b5c-8d9e-0a1b2c3d4e5f",
    provider="acquirer",
    since=NOON,
    until=NOON,
    finished_at=NOON,
    matched=5,
    missing=1,
    extra=2,
    mismatched=3,
    escalated=4,
)
_FINDING = reconciliation_views.ReconciliationFinding(
    kind="capture",
    account="buyers",
    name="p-1",
    difference="extra",
    state="open",
    at_provider=_EUROS,
    status_at_provider="succeeded",
    posted=0,
    pending=0,
    first_seen_at=NOON,
    last_seen_at=NOON,
)
_PAYOUT_DECISION = partner_payout.PayoutDecision(reviewer_id="user:ada", approved=True, comment="Looks right.")
_PAYOUT_PLAN = payout_plan_change.PayoutPlan(
    schedule=payout_plan_change.PayoutSchedule.WEEKLY,
    minimum_minor_units=1_000,
    delay_days=7,
    reserve_basis_points=500,
    reserve_days=90,
    review_above_minor_units=1_000_000,
    destination="acct_1",
)
_PAYOUT = payout_views.PayoutView(
    payout_id="EUR-2-20261123T000000Z",
    status=partner_payout.PayoutStatus.PAID,
    amount=_EUROS,
    withheld=_EUROS,
    carried=partner_payout.CarriedReason.BELOW_MINIMUM,
    cut=NOON,
    needs_review=True,
    created_at=NOON,
    changed_at=NOON,
    reserve_until=NOON,
)

_REFUND = payment_views.RefundView(
    refund_id="r-1", status=refund.RefundStatus.PENDING, amount=_EUROS, reason="broken", requested_at=NOON
)

_ALL: tuple[ContractModel, ...] = (
    memo.Progress(
        step="recording",
        cancellable=False,
        waiting_for="reviewer",
        deadline=NOON,
        compensation=memo.Compensation.RUNNING,
    ),
    _EVENT,
    record_events.RecordEventsRequest(events=(_EVENT,)),
    record_events.RecordEventsResult(recorded=1, duplicates=2),
    event_intake.EventIntakeInput(tenant="acme", events=(_EVENT,)),
    event_intake.EventIntakeResult(recorded=1, duplicates=2),
    rollup.RollupInput(granularity=rollup.Granularity.DAY, full=True),
    rollup.RollupResult(granularity=rollup.Granularity.HOUR, periods=2, events=5),
    analytics_views.EventCountsQuery(
        granularity=rollup.Granularity.DAY,
        type="user.onboarded",
        since=NOON,
        until=NOON + timedelta(days=1),
        limit=50,
        cursor="abc",
    ),
    _COUNT,
    analytics_views.EventCounts(
        granularity=rollup.Granularity.HOUR, counts=(_COUNT,), counted_at=NOON, next_cursor="abc"
    ),
    _DETAILS,
    user_onboarding.UserOnboardingInput(tenant="acme", user_id="u-1", details=_DETAILS),
    user_onboarding.UserOnboardingResult(
        user_id="u-1",
        account_status=user_onboarding.AccountStatus.ACTIVE,
        onboarded_at=NOON,
        welcome_notification_id="u-1.welcome",
    ),
    notification.NotificationInput(
        tenant="acme", notification_id="n-1", user_id="u-1", type="info", message="It is noon."
    ),
    _BY_EMAIL,
    notification.NotificationResult(notification_id="n-1", deliveries=(_BY_EMAIL,)),
    user_views.InboxQuery(user_id="u-1", limit=10, cursor="abc"),
    _INBOX_MESSAGE,
    user_views.Inbox(user_id="u-1", messages=(_INBOX_MESSAGE,), next_cursor="abc"),
    user_views.AccountQuery(user_id="u-1"),
    _PREFERENCES,
    _ACCOUNT,
    user_views.AccountAnswer(account=_ACCOUNT),
    partner_capabilities.PartnerCapabilitiesRequest(tenant="acme"),
    partner_capabilities.PartnerCapabilities(can_sell=True, can_be_paid=False),
    _PRICE,
    _LISTING_DETAILS,
    listing_draft.ListingDraftInput(tenant="acme", listing_id="teapot", details=_LISTING_DETAILS),
    listing_draft.ListingDraftResult(listing_id="teapot", status=listing_draft.ListingStatus.DRAFT),
    publication.PublicationInput(tenant="acme", listing_id="teapot", submission_id="s-1", submitter_id="u-1"),
    _DECISION,
    publication.PublicationResult(
        listing_id="teapot",
        submission_id="s-1",
        outcome=publication.PublicationOutcome.REJECTED,
        listing_status=listing_draft.ListingStatus.DRAFT,
        reviewer_id="r-1",
        reason="No picture.",
    ),
    archival.ArchivalInput(tenant="acme", listing_id="teapot"),
    archival.ArchivalResult(listing_id="teapot", status=listing_draft.ListingStatus.ARCHIVED),
    _LINE,
    purchase.PurchaseInput(tenant="buyers", purchase_id="p-1", buyer_id="b-1", lines=(_LINE,), payment_token="tok_ok"),
    purchase.PurchaseResult(purchase_id="p-1", status=purchase.PurchaseStatus.CAPTURED, total=_PRICE),
    purchase.CompensationResolution(operator_id="o-1", note="Voided by hand."),
    purchase.CompensationResolved(step=purchase.PurchaseStep.AUTHORISING),
    listing_views.ListingQuery(listing_id="teapot"),
    _STOCK,
    _LISTING,
    listing_views.ListingAnswer(listing=_LISTING),
    listing_views.ListingsQuery(status=listing_draft.ListingStatus.PUBLISHED, limit=10, cursor="abc"),
    listing_views.Listings(listings=(_LISTING,), next_cursor="abc"),
    listing_views.PurchaseQuery(purchase_id="p-1"),
    _PURCHASE_LINE,
    _PURCHASE,
    listing_views.PurchaseAnswer(purchase=_PURCHASE),
    listing_views.PurchasesQuery(limit=10, cursor="abc"),
    listing_views.Purchases(purchases=(_PURCHASE,), next_cursor="abc"),
    listing_views.SalesQuery(limit=10, cursor="abc"),
    _SALE,
    listing_views.Sales(sales=(_SALE,), next_cursor="abc"),
    close_purchase.ClosePurchaseRequest(tenant="buyers", purchase_id="p-1"),
    close_purchase.ClosePurchaseResult(purchase_id="p-1", end=close_purchase.PurchaseEnd.RELEASED),
    _SHARE,
    charge.AuthoriseRequest(
        tenant="buyers", operation_id="p-1", payment_token="tok_ok", amount=_EUROS, shares=(_SHARE,)
    ),
    charge.ChargeRequest(tenant="buyers", operation_id="p-1"),
    charge.ChargeResult(operation_id="p-1", status=charge.ChargeStatus.AUTHORISED),
    charge_resolution.ChargeResolutionInput(tenant="buyers", operation_id="p-1", until=NOON),
    _REDRIVE,
    provider_event.ProviderEventInput(
        provider="acquirer", event_id="evt_1", body=b'{"id": "evt_1"}', received_at=NOON, redrive=_REDRIVE
    ),
    provider_event.ProviderEventResult(
        provider="acquirer",
        event_id="evt_1",
        status=provider_event.ProviderEventStatus.QUARANTINED,
        reason="unreadable",
    ),
    payment_views.BalancesQuery(at=NOON),
    payment_views.Balances(balances=(_EUROS,), as_of=NOON),
    payment_views.ChargeQuery(operation_id="p-1"),
    _CHARGE,
    payment_views.ChargeAnswer(charge=_CHARGE),
    payment_views.EscalationsQuery(is_open=True, limit=10, cursor="abc"),
    _DETAIL,
    _ESCALATION,
    payment_views.EscalationsPage(escalations=(_ESCALATION,), next_cursor="abc"),
    payment_views.EscalationQuery(escalation_id=_ESCALATION.escalation_id),
    payment_views.EscalationAnswer(escalation=_ESCALATION),
    escalation_resolution.EscalationResolutionInput(
        escalation_id=_ESCALATION.escalation_id, resolved_by="user:grace", resolution="The acquirer was called."
    ),
    partner_payout.PartnerPayoutInput(
        tenant="acme", payout_id="po-1", currency="JPY", exponent=0, cut=NOON, requested_by="user:grace"
    ),
    partner_payout.PartnerPayoutResult(
        payout_id="po-1",
        status=partner_payout.PayoutStatus.CARRIED,
        amount=_EUROS,
        withheld=_EUROS,
        carried=partner_payout.CarriedReason.BELOW_MINIMUM,
    ),
    _PAYOUT_DECISION,
    partner_payout.PayoutReview(
        payout_id="po-1",
        outcome=partner_payout.PayoutReviewOutcome.WAITING_FOR_SECOND,
        decisions=(_PAYOUT_DECISION,),
    ),
    payout_run.PayoutRunInput(
        cut=NOON, period_seconds=3_600, after="partner_payable:acme", started=3, already_started=1
    ),
    payout_run.PayoutRunResult(cut=NOON, started=3, already_started=1),
    payout_sync.PayoutSyncInput(tenant="acme", payout_id="po-1"),
    payout_sync.PayoutSyncResult(status=partner_payout.PayoutStatus.RETURNED),
    _PAYOUT_PLAN,
    payout_plan_change.PayoutPlanChangeInput(
        tenant="acme", change_id="c-1", currency="EUR", plan=_PAYOUT_PLAN, changed_by="user:grace"
    ),
    payout_plan_change.PayoutPlanChangeResult(currency="EUR", plan=_PAYOUT_PLAN),
    reconciliation.ReconciliationInput(continued=_RECONCILED, orphans=_ORPHANS, not_compared="NoAnswerError"),
    _RECONCILED,
    _ORPHANS,
    _RECONCILIATION,
    _FINDING,
    reconciliation_views.ReconciliationsQuery(limit=10, cursor="abc"),
    reconciliation_views.ReconciliationsPage(reconciliations=(_RECONCILIATION,), next_cursor="abc"),
    reconciliation_views.ReconciliationQuery(reconciliation_id=_RECONCILIATION.reconciliation_id),
    reconciliation_views.ReconciliationAnswer(reconciliation=_RECONCILIATION, findings=(_FINDING,)),
    payout_views.PayoutsQuery(limit=10, cursor="abc"),
    payout_views.PayoutQuery(payout_id="po-1"),
    _PAYOUT,
    payout_views.PayoutAnswer(payout=_PAYOUT),
    payout_views.Payouts(payouts=(_PAYOUT,), next_cursor="abc"),
    payout_views.PayoutPlanQuery(currency="EUR"),
    payout_views.PayoutPlanAnswer(currency="EUR", plan=_PAYOUT_PLAN, is_default=True),
    charge.CaptureRequest(tenant="buyers", operation_id="p-1", amount=_EUROS),
    charge_settlement.ChargeSettlementInput(tenant="buyers", operation_id="p-1", wanted_until=NOON),
    refund.RefundInput(
        tenant="buyers",
        refund_id="r-1",
        charge_id="p-1",
        amount=_EUROS,
        shares=(_SHARE,),
        reason="broken",
        buyer_id="b-1",
    ),
    refund.RefundResult(refund_id="r-1", charge_id="p-1", status=refund.RefundStatus.SUCCEEDED, amount=_EUROS),
    dispute.DisputeInput(
        tenant="buyers", dispute_id="d-1", charge_id="p-1", status=dispute.DisputeStatus.OPENED, amount=_EUROS
    ),
    dispute.DisputeResult(dispute_id="d-1", status=dispute.DisputeStatus.OPENED, taken=_EUROS),
    payment_views.RefundsQuery(operation_id="p-1"),
    _REFUND,
    payment_views.RefundsAnswer(
        status=charge.ChargeStatus.CAPTURED, captured=_EUROS, reversed=_EUROS, refunds=(_REFUND,)
    ),
)

SAMPLES: Mapping[type[ContractModel], ContractModel] = {type(sample): sample for sample in _ALL}

# What the id functions of the workflows are called with.
WORKFLOW_IDS: Mapping[str, str] = {
    user_onboarding.WORKFLOW_TYPE: user_onboarding.user_onboarding_workflow_id(tenant="acme", user_id="u-1"),
    notification.WORKFLOW_TYPE: notification.notification_workflow_id(tenant="acme", notification_id="n-1"),
    event_intake.WORKFLOW_TYPE: event_intake.event_intake_workflow_id(tenant="acme", events=[_EVENT]),
    listing_draft.WORKFLOW_TYPE: listing_draft.listing_draft_workflow_id(tenant="acme", listing_id="teapot"),
    publication.WORKFLOW_TYPE: publication.publication_workflow_id(tenant="acme", submission_id="s-1"),
    archival.WORKFLOW_TYPE: archival.archival_workflow_id(tenant="acme", listing_id="teapot"),
    purchase.WORKFLOW_TYPE: purchase.purchase_workflow_id(tenant="acme", purchase_id="p-1"),
    rollup.WORKFLOW_TYPE: rollup.rollup_schedule_id(rollup.Granularity.HOUR),
    charge_resolution.WORKFLOW_TYPE: charge_resolution.charge_resolution_workflow_id(
        tenant="buyers", operation_id="p-1"
    ),
    escalation_resolution.WORKFLOW_TYPE: escalation_resolution.escalation_resolution_workflow_id(
        escalation_id="charge_unresolved-5f2b8d1e9c4a7036"
    ),
    charge_settlement.WORKFLOW_TYPE: charge_settlement.charge_settlement_workflow_id(
        tenant="buyers", operation_id="p-1"
    ),
    refund.WORKFLOW_TYPE: refund.refund_workflow_id(tenant="buyers", refund_id="r-1"),
    dispute.WORKFLOW_TYPE: dispute.dispute_workflow_id(
        tenant="buyers", dispute_id="d-1", status=dispute.DisputeStatus.OPENED
    ),
    provider_event.WORKFLOW_TYPE: provider_event.provider_event_workflow_id(provider="acquirer", event_id="evt_1"),
    charge_void.WORKFLOW_TYPE: charge_void.charge_void_workflow_id(tenant="buyers", operation_id="p-1"),
    partner_payout.WORKFLOW_TYPE: partner_payout.partner_payout_workflow_id(tenant="acme", payout_id="po-1"),
    payout_run.WORKFLOW_TYPE: payout_run.payout_run_schedule_id(),
    reconciliation.WORKFLOW_TYPE: reconciliation.reconciliation_schedule_id(),
    payout_sync.WORKFLOW_TYPE: payout_sync.payout_sync_workflow_id(tenant="acme", sync_id="ev-1"),
    payout_plan_change.WORKFLOW_TYPE: payout_plan_change.payout_plan_change_workflow_id(tenant="acme", change_id="c-1"),
}
