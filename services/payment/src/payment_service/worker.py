"""The composition root of the payment service: makes the parts and wires them."""

import httpx

from payment_service.activities.charges import ChargeActivities
from payment_service.activities.disputes import DisputeActivities
from payment_service.activities.refunds import RefundActivities
from payment_service.persistence.charges import SqlCharges
from payment_service.persistence.disputes import SqlDisputes
from payment_service.persistence.ledger import SqlLedger
from payment_service.persistence.refunds import SqlRefunds
from payment_service.providers.card_acquirer import HttpCardAcquirer
from payment_service.settings import PaymentSettings
from payment_service.views import views
from payment_service.workflows.charge_resolution import ChargeResolutionWorkflow
from payment_service.workflows.charge_settlement import ChargeSettlementWorkflow
from payment_service.workflows.charge_void import ChargeVoidWorkflow
from payment_service.workflows.dispute import DisputeWorkflow
from payment_service.workflows.refund import RefundWorkflow
from platform_runtime.service_process import Registrations, Resources


async def build(resources: Resources[PaymentSettings]) -> Registrations:
    """Return what the payment service's worker runs and shows."""
    settings = resources.settings
    charges = SqlCharges(resources.database)
    acquirer = HttpCardAcquirer(
        await resources.stack.enter_async_context(httpx.AsyncClient(trust_env=False)),
        url=str(settings.acquirer_url),
        timeout_seconds=settings.acquirer_timeout_seconds,
    )
    of_charges = ChargeActivities(
        charges,
        acquirer,
        fee_basis_points=settings.fee_basis_points,
        escalate_after=settings.escalate_after,
    )
    refunds = SqlRefunds(resources.database)
    of_refunds = RefundActivities(refunds, acquirer, escalate_after=settings.escalate_after)
    of_disputes = DisputeActivities(SqlDisputes(resources.database))
    return Registrations(
        workflows=[
            ChargeResolutionWorkflow,
            ChargeSettlementWorkflow,
            ChargeVoidWorkflow,
            RefundWorkflow,
            DisputeWorkflow,
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
        ],
        views=views(
            charges=charges, refunds=refunds, ledger=SqlLedger(resources.database), token=resources.service_token
        ),
    )
