"""Settings of the gateway."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import SettingsConfigDict

from platform_contracts.identifiers import Tenant
from platform_gateway.identity.identity_settings import OPEN_TENANT, IdentitySettings, is_loopback, refuse_when_open
from platform_gateway.protection.protection_settings import ProtectionSettings
from platform_gateway.protection.provider_event_settings import ProviderEventSettings

HttpUrlText = Annotated[str, Field(pattern=r"^https?://[^\s/]+(/\S*)?$")]


class GatewaySettings(IdentitySettings, ProtectionSettings, ProviderEventSettings):
    """How the gateway listens, whom it lets in, and where what it links to and reads from is."""

    model_config = SettingsConfigDict(
        env_prefix="GATEWAY_", env_ignore_empty=True, extra="ignore", populate_by_name=True
    )

    # The order matters: a validator sees the fields above its own.
    api_key: SecretStr | None = None
    """The one static key; None, and no other way in: everybody is let in, on a loopback address only."""
    api_key_file: Path | None = None
    """A file that holds the static key, instead of `api_key`."""
    tenant: Tenant = OPEN_TENANT
    """The account that the static key acts for."""
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    """0 takes any free port."""
    internal_host: str = "127.0.0.1"
    internal_port: Annotated[int, Field(ge=0, le=65535)] = 9454
    """Health and metrics. 0 takes any free port."""
    execute_wait_seconds: Annotated[float, Field(ge=0, le=60)] = 10
    """How long `execute` waits for a result before it answers 202."""
    event_streams_per_tenant: Annotated[int, Field(ge=1, le=10_000)] = 50
    """How many streams of events an account may have open, in this process."""
    event_stream_seconds: Annotated[float, Field(ge=1, le=86_400)] = 600
    """How long one stream of events lasts; who goes on following is let in again, so a key taken back is noticed."""
    user_views_url: Annotated[HttpUrlText, Field(validation_alias="USER_VIEWS_URL")] = "http://127.0.0.1:9464"
    payment_views_url: Annotated[HttpUrlText, Field(validation_alias="PAYMENT_VIEWS_URL")] = "http://127.0.0.1:9474"
    listing_views_url: Annotated[HttpUrlText, Field(validation_alias="LISTING_VIEWS_URL")] = "http://127.0.0.1:9484"
    analytics_views_url: Annotated[HttpUrlText, Field(validation_alias="ANALYTICS_VIEWS_URL")] = "http://127.0.0.1:9494"
    temporal_ui_url: Annotated[HttpUrlText, Field(validation_alias="TEMPORAL_UI_URL")] = "http://localhost:8233"
    jaeger_ui_url: Annotated[HttpUrlText, Field(validation_alias="JAEGER_UI_URL")] = "http://localhost:16686"

    @field_validator("api_key")
    @classmethod
    def _key_fits_into_a_header(cls, key: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if key is None:
            return None
        refuse_when_open(info)
        return _checked_key(key.get_secret_value())

    @field_validator("api_key_file")
    @classmethod
    def _key_file_can_be_read(cls, file: Path | None, info: ValidationInfo) -> Path | None:
        if file is None:
            return None
        refuse_when_open(info)
        if info.data.get("api_key") is not None:
            raise ValueError("GATEWAY_API_KEY is set too; set one of them")
        _key_in(file)
        return file

    @field_validator("host")
    @classmethod
    def _open_only_on_loopback(cls, host: str, info: ValidationInfo) -> str:
        ways_in = ("api_key", "api_key_file", "oidc_issuer")
        is_open = info.data.get("auth") != "on" and all(info.data.get(each) is None for each in ways_in)
        if is_open and not is_loopback(host):
            raise ValueError(
                f"{host} can be reached from other machines; set GATEWAY_AUTH=on or GATEWAY_API_KEY, or bind a "
                "loopback one"
            )
        return host

    @property
    def is_authenticated(self) -> bool:
        """Whether callers have to prove who they are; else everybody is `demo`."""
        return self.auth == "on" or self.key() is not None or self.oidc_issuer is not None

    def key(self) -> SecretStr | None:
        """Return the static key wherever it stands; None when there is none."""
        return self.api_key if self.api_key_file is None else _key_in(self.api_key_file)


def _key_in(file: Path) -> SecretStr:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{file} cannot be read: {type(error).__name__}") from None
    return _checked_key(text.strip())


def _checked_key(key: str) -> SecretStr:
    # What a header cannot carry could never be presented, and would lock everybody out without a word.
    if not key or not all("!" <= character <= "~" for character in key):
        raise ValueError("an API key is made of visible ASCII characters")
    return SecretStr(key)
