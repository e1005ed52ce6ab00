"""What can be set for the analytics service, beside what every service has."""

from typing import Annotated

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from platform_runtime.settings import ServiceSettings


class AnalyticsSettings(ServiceSettings):
    """The analytics service's variables begin with `ANALYTICS_`."""

    model_config = SettingsConfigDict(env_prefix="ANALYTICS_", env_ignore_empty=True, extra="ignore")

    internal_port: Annotated[int, Field(ge=0, le=65535)] = 9494
