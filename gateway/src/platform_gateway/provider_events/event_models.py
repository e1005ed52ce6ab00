"""What the API answers about provider events."""

from platform_contracts.payment.provider_event import ProviderEventStatus
from platform_gateway.rest_models import Accepted, RestModel


class ProviderEventReceived(RestModel):
    """An event that will not be lost."""

    event_id: str


class ProviderEventResult(RestModel):
    """What became of a provider event."""

    provider: str
    event_id: str
    status: ProviderEventStatus
    reason: str | None


class ProviderEventDone(Accepted):
    """A provider event that was tried again."""

    result: ProviderEventResult
