"""Settings that keep one tenant from taking the gateway away from the others, and strangers from reading about it."""

from typing import Annotated, Final

from limits import parse
from pydantic import AfterValidator, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

OFF: Final = "off"

_DEFAULT_RATE_LIMIT: Final = "500/second"
"""About half of what one process can serve: one tenant alone cannot have it all."""

_DEFAULT_IN_FLIGHT: Final = 250
"""Each of them may wait half a minute for a result, and holds a few kilobytes meanwhile."""


def checked_rate(text: str) -> str:
    """Return the text of a rate, or of none.

    Raises:
        ValueError: when it is neither.
    """
    if text != OFF:
        try:
            parse(text)
        except ValueError:
            raise ValueError(f"{text!r} is no rate, such as 100/second or 5000/minute, and not `{OFF}`") from None
    return text


class ProtectionSettings(BaseSettings):
    """What a tenant may ask of one gateway process, and what answers say to browsers."""

    model_config = SettingsConfigDict(env_prefix="GATEWAY_", env_ignore_empty=True, extra="ignore")

    rate_limit: Annotated[str, AfterValidator(checked_rate)] | None = None
    """Requests of one tenant: `100/second`, `5000/minute` or `off`; None: 500/second, off while everybody is let in."""
    in_flight_per_tenant: Annotated[int, Field(ge=0, le=100_000)] | None = None
    """Requests of one tenant that are worked on at once; 0: any number; None: 250, 0 while everybody is let in."""
    docs: bool | None = None
    """Whether /docs and /openapi.json are served; None: only while everybody is let in."""
    hsts_seconds: Annotated[int, Field(ge=0)] = 0
    """How long browsers shall come over https only; 0: they are not told."""

    def tenant_rate(self, *, is_open: bool) -> str | None:
        """Return the rate of a tenant; None: any.

        Args:
            is_open: whether everybody is let in. They are all one tenant then, and there is nobody to be fair to.
        """
        rate = self.rate_limit or (OFF if is_open else _DEFAULT_RATE_LIMIT)
        return None if rate == OFF else rate

    def tenant_in_flight(self, *, is_open: bool) -> int | None:
        """Return how many requests of a tenant are worked on at once; None: any number."""
        default = 0 if is_open else _DEFAULT_IN_FLIGHT
        return (default if self.in_flight_per_tenant is None else self.in_flight_per_tenant) or None

    def serves_docs(self, *, is_open: bool) -> bool:
        """Return whether the documentation is served; by default to those who develop, who need no key."""
        return is_open if self.docs is None else self.docs
