"""The composition root of the payment service: makes the parts and wires them."""

import httpx

from payment_service.activities.charges import ChargeActivities
from payment_service.activities.escalations import EscalationActivities
from payment_service.persistence.charges import SqlCharges
from payment_service.persistence.escalations import SqlEscalations
from payment_service.persistence.ledger import SqlLedger
from payment_service.ports import ChargeProvider
from payment_service.providers.card_acquirer import HttpCardAcquirer
from payment_service.settings import PaymentSettings
from payment_service.views import views
from payment_service.workflows.charge_resolution import ChargeResolutionWorkflow
from payment_service.workflows.charge_void import ChargeVoidWorkflow
from payment_service.workflows.escalation_resolution import EscalationResolutionWorkflow
from platform_runtime.service_process import Registrations, Resources


async def build(resources: Resources[PaymentSettings]) -> Registrations:
    """Return what the payment service's worker runs and shows."""
    settings = resources.settings
    charges = SqlCharges(resources.database)
    escalations = SqlEscalations(resources.database)
    provider = await _provider(resources)
    of_charges = ChargeActivities(charges, provider, fee_basis_points=settings.fee_basis_points)
    return Registrations(
        workflows=[ChargeResolutionWorkflow, ChargeVoidWorkflow, EscalationResolutionWorkflow],
        activities=[
            of_charges.authorise,
            of_charges.capture,
            of_charges.void,
            of_charges.resolve_charge,
            EscalationActivities(escalations).resolve_escalation,
        ],
        views=views(
            charges=charges,
            ledger=SqlLedger(resources.database),
            escalations=escalations,
            token=resources.service_token,
        ),
    )


async def _provider(resources: Resources[PaymentSettings]) -> ChargeProvider:
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
