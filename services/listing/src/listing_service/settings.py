"""What can be set for the listing service, beside what every service has."""

from typing import Annotated, Final

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from platform_runtime.settings import ServiceSettings

_DAY_SECONDS: Final = 24 * 60 * 60


class ListingSettings(ServiceSettings):
    """The listing service's variables begin with `LISTING_`."""

    model_config = SettingsConfigDict(env_prefix="LISTING_", env_ignore_empty=True, extra="ignore")

    internal_port: Annotated[int, Field(ge=0, le=65535)] = 9484
    hold_seconds: Annotated[float, Field(ge=1, le=_DAY_SECONDS)] = 900
    """How long a purchase holds its stock before it has to be confirmed."""
    review_reminder_seconds: Annotated[float, Field(ge=1, le=365 * _DAY_SECONDS)] = _DAY_SECONDS
    """When the reviewers are reminded of a submission; past the deadline: never."""
    review_deadline_seconds: Annotated[float, Field(ge=1, le=365 * _DAY_SECONDS)] = 7 * _DAY_SECONDS
    """When a submission that nobody has decided on ends, and its listing is a draft again."""
