"""What can be set for the acquirer."""

from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class AcquirerSettings(BaseSettings):
    """The acquirer's variables begin with `ACQUIRER_`."""

    model_config = SettingsConfigDict(env_prefix="ACQUIRER_", env_ignore_empty=True, extra="ignore")

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8090
    database_url: Annotated[str, Field(pattern=r"^sqlite:///.+$")] | None = None
    """`sqlite:///path`: this process alone keeps the book. None: a file under PARTNER_HOME/data."""
    slow_seconds: Annotated[float, Field(ge=0, le=60)] = 3
    """How long the answer to `tok_slow` takes."""
