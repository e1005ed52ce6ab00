"""The composition root of the payment service: makes the parts and wires them."""

from datetime import timedelta

import httpx

from payment_service.activities.charge_events import ChargeEventActivities
from payment_service.activities.charge_outcomes import ChargeOutcomes
from payment_service.activities.charges import ChargeActivities
from payment_service.activities.dispute_events import DisputeEventActivities
from payment_service.activities.disputes import DisputeActivities
from payment_service.activities.escalations import EscalationActivities
from payment_service.activities.orphans import OrphanActivities
from payment_service.activities.payout_plans import PayoutPlanActivities
from payment_service.activities.payouts import PayoutActivities
from payment_service.activities.provider_events import ProviderEventActivities
from payment_service.activities.reconciliation import ReconciliationActivities
from payment_service.activities.refund_events import RefundEventActivities
from payment_service.activities.refunds import RefundActivities
from payment_service.metrics import money_metrics
from payment_service.persistence.charges import SqlCharges
from payment_service.persistence.disputes import SqlDisputes
from payment_service.persistence.escalations import SqlEscalations
from payment_service.persistence.ledger import SqlLedger
from payment_service.persistence.ledger_check import SqlLedgerCheck
from payment_service.persistence.money_figures import SqlMoneyFigures
from payment_service.persistence.orphans import SqlOrphans
from payment_service.persistence.payout_plans import SqlPayoutPlans
from payment_service.persistence.payouts import SqlPayouts
from payment_service.persistence.provider_events import SqlProviderEvents
from payment_service.persistence.reconciliations import SqlReconciliations
from payment_service.persistence.refunds import SqlRefunds
from payment_service.ports import PaymentProvider
from payment_service.providers.card_acquirer import HttpCardAcquirer
from payment_service.settings import PaymentSettings
from payment_service.views import views
from payment_service.workflows.charge_resolution import ChargeResolutionWorkflow
from payment_service.workflows.charge_settlement import ChargeSettlementWorkflow
from payment_service.workflows.charge_void import ChargeVoidWorkflow
from payment_service.workflows.dispute import DisputeWorkflow
from payment_service.workflows.escalation_resolution import EscalationResolutionWorkflow
from payment_service.workflows.partner_payout import PartnerPayoutWorkflow
from payment_service.workflows.payout_plan_change import PayoutPlanChangeWorkflow
from payment_service.workflows.payout_run import PayoutRunWorkflow
from payment_service.workflows.payout_sync import PayoutSyncWorkflow
from payment_service.workflows.provider_event import ProviderEventWorkflow
from payment_service.workflows.reconciliation import ReconciliationWorkflow
from payment_service.workflows.refund import RefundWorkflow
from platform_runtime.service_process import Registrations, Resources


async def build(resources: Resources[PaymentSettings]) -> Registrations:
    """Return what the payment service's worker runs and shows."""
    settings = resources.settings
    charges = SqlCharges(resources.database)
    escalations = SqlEscalations(resources.database)
    provider = await _provider(resources)
    of_charges = ChargeActivities(
        charges, provider, fee_basis_points=settings.fee_basis_points, escalate_after=settings.escalate_after
    )
    refunds = SqlRefunds(resources.database)
    of_refunds = RefundActivities(refunds, provider, escalate_after=settings.escalate_after)
    of_disputes = DisputeActivities(SqlDisputes(resources.database))
    payouts = SqlPayouts(resources.database, default_plan=settings.payout_plan())
    plans = SqlPayoutPlans(resources.database, default_plan=settings.payout_plan())
    of_payouts = PayoutActivities(payouts, provider, escalations, timings=settings.payout_timings())
    of_plans = PayoutPlanActivities(plans)
    reconciliations = SqlReconciliations(resources.database)
    outcomes = ChargeOutcomes(
        charges, provider, fee_basis_points=settings.fee_basis_points, escalate_after=settings.escalate_after
    )
    of_reconciliation = ReconciliationActivities(
        reconciliations,
        [provider],
        charges=charges,
        outcomes=outcomes,
        ledger_check=SqlLedgerCheck(resources.database),
        escalations=escalations,
        settling=timedelta(seconds=settings.reconciliation_settling_seconds),
        overlap=timedelta(seconds=settings.reconciliation_overlap_seconds),
    )
    of_orphans = OrphanActivities(
        SqlOrphans(resources.database),
        charges,
        refunds,
        provider,
        outcomes=outcomes,
        after=timedelta(seconds=settings.orphan_after_seconds),
    )
    figures = SqlMoneyFigures(resources.database)
    await resources.stack.enter_async_context(money_metrics(figures, every_seconds=settings.money_metrics_seconds))
    of_events = ProviderEventActivities(SqlProviderEvents(resources.database), {provider.name: provider})
    of_charge_events = ChargeEventActivities(
        charges, escalations, providers={provider.name: provider}, outcomes=outcomes
    )
    of_refund_events = RefundEventActivities(refunds, escalations, providers={provider.name: provider})
    return Registrations(
        workflows=[
            ChargeResolutionWorkflow,
            ChargeSettlementWorkflow,
            ChargeVoidWorkflow,
            DisputeWorkflow,
            EscalationResolutionWorkflow,
            PartnerPayoutWorkflow,
            PayoutPlanChangeWorkflow,
            PayoutRunWorkflow,
            PayoutSyncWorkflow,
            ReconciliationWorkflow,
            ProviderEventWorkflow,
            RefundWorkflow,
        ],
        activities=[
            of_charges.authorise,
            of_charges.capture,
            of_charges.void,
            of_charges.resolve_charge,
            of_charges.settle_charge,
            of_refunds.request_refund,
            of_refunds.settle_refund,
            of_disputes.apply_dispute,
            EscalationActivities(escalations).resolve_escalation,
            of_payouts.reserve_payout,
            of_payouts.hold_payout,
            of_payouts.give_back_payout,
            of_payouts.begin_payout,
            of_payouts.send_payout,
            of_payouts.sync_payout,
            of_payouts.escalate_payout,
            of_plans.save_payout_plan,
            of_plans.find_due_payouts,
            of_reconciliation.reconcile,
            of_reconciliation.check_ledger,
            of_orphans.find_open_charges,
            of_orphans.conclude_charges,
            of_orphans.settle_orphan,
            of_events.record_provider_event,
            of_events.settle_provider_event,
            of_charge_events.apply_charge_event,
            of_refund_events.apply_refund_event,
            DisputeEventActivities(providers={provider.name: provider}).look_up_dispute,
        ],
        views=views(
            charges=charges,
            refunds=refunds,
            ledger=SqlLedger(resources.database),
            escalations=escalations,
            payouts=payouts,
            plans=plans,
            reconciliations=reconciliations,
            token=resources.service_token,
        ),
    )


async def _provider(resources: Resources[PaymentSettings]) -> PaymentProvider:
    settings = resources.settings
    if settings.provider == "stripe":
        # Its library takes a while to import and much memory: for those alone who use it.
        from payment_service.providers.stripe_provider import StripeProvider  # noqa: PLC0415

        assert settings.stripe_api_key is not None, "the settings see to it"
        return StripeProvider(
            # Stripe is on the internet: a proxy or certificates of the environment are for this.
            await resources.stack.enter_async_context(httpx.AsyncClient()),
            api_key=settings.stripe_api_key,
            url=str(settings.stripe_url),
            timeout_seconds=settings.stripe_timeout_seconds,
        )
    return HttpCardAcquirer(
        await resources.stack.enter_async_context(httpx.AsyncClient(trust_env=False)),
        url=str(settings.acquirer_url),
        timeout_seconds=settings.acquirer_timeout_seconds,
    )
