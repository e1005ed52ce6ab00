"""Other domains can ask what a partner may do."""

from temporalio.testing import ActivityEnvironment

from platform_contracts.user.partner_capabilities import PartnerCapabilities, PartnerCapabilitiesRequest
from user_service.activities.partners import PartnerActivities


async def test_partner_that_nothing_is_held_against_may_sell_and_be_paid() -> None:
    request = PartnerCapabilitiesRequest(tenant="acme")

    may = await ActivityEnvironment().run(PartnerActivities().partner_capabilities, request)

    assert may == PartnerCapabilities(can_sell=True, can_be_paid=True)
