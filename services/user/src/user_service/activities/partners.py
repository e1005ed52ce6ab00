"""Activities that answer for partners."""

from temporalio import activity

from platform_contracts.user.partner_capabilities import (
    PARTNER_CAPABILITIES,
    PartnerCapabilities,
    PartnerCapabilitiesRequest,
)


class PartnerActivities:
    """What other domains may ask about a partner."""

    @activity.defn(name=PARTNER_CAPABILITIES.name)
    async def partner_capabilities(self, request: PartnerCapabilitiesRequest) -> PartnerCapabilities:
        """Return what the partner may do now; it changes nothing, so it can be repeated.

        A partner that nothing is held against may sell and be paid, and nothing is kept against any so far.
        """
        activity.logger.debug("partner.capabilities", extra={"partner_id": request.tenant})
        return PartnerCapabilities(can_sell=True, can_be_paid=True)
