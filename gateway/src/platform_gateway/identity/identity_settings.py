"""Settings of who is let in, and of the database that keeps their keys."""

import ipaddress
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

OPEN_TENANT: Final = "demo"
"""Who everybody is while authentication is off."""

ASYMMETRIC_ALGORITHMS: Final = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"),
)
"""With any other, who can check a token can make one."""


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine and cannot be reached from another one."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        # Other names may resolve to anything, and to something else tomorrow.
        return host == "localhost"


def is_secure_url(url: str) -> bool:
    """Return whether what a URL answers cannot be changed on the way: HTTPS, or this machine's own."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))


def _secure(url: str) -> str:
    if not is_secure_url(url):
        raise ValueError("keys over plain HTTP could be anybody's: use https, or a loopback address")
    return url


def _words(value: object) -> object:
    return tuple(word.strip() for word in value.split(",") if word.strip()) if isinstance(value, str) else value


def _asymmetric(algorithms: tuple[str, ...]) -> tuple[str, ...]:
    if not set(algorithms) <= set(ASYMMETRIC_ALGORITHMS):
        raise ValueError(f"only asymmetric ones: {', '.join(ASYMMETRIC_ALGORITHMS)}")
    return algorithms


def _media_types(types: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(each.lower().removeprefix("application/") for each in types)


_SecureUrl = Annotated[str, Field(pattern=r"^https?://[^\s/]+(/\S*)?$"), AfterValidator(_secure)]
_Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_words), Field(min_length=1)]
_Claim = Annotated[str, Field(min_length=1, max_length=200)]


class IdentitySettings(BaseSettings):
    """Who is let in; the gateway's settings have these among their own."""

    model_config = SettingsConfigDict(env_prefix="GATEWAY_", env_ignore_empty=True, extra="ignore")

    # The order matters: a validator sees the fields above its own.
    auth: Literal["on", "off"] | None = None
    """None: on when a static key or an issuer is set. `on` alone takes the API keys of the database."""
    database_url: Annotated[str, Field(pattern=r"^(sqlite:///.+|postgres(ql)?(\+psycopg)?://.+)$")] | None = None
    """`sqlite:///path` or `postgresql://…`; None: the file gateway.sqlite3 under PARTNER_HOME/data."""
    oidc_audience: Annotated[str, Field(min_length=1)] | None = None
    """What `aud` of a token has to name."""
    oidc_issuer: _SecureUrl | None = None
    """What `iss` of a token has to be, to the letter; None: no tokens."""
    oidc_jwks_url: _SecureUrl | None = None
    """The issuer's keys; None: where its configuration says."""
    oidc_algorithms: Annotated[_Words, AfterValidator(_asymmetric)] = ("RS256", "PS256", "ES256", "EdDSA")
    oidc_token_types: Annotated[_Words, AfterValidator(_media_types)] = ("at+jwt", "jwt")
    """What `typ` of a token may be."""
    oidc_tenant_claim: _Claim = "tenant"
    oidc_role_claim: _Claim = "role"
    """The claim with a role, or with a list of them; what is no role of ours in it counts for nothing."""
    oidc_leeway_seconds: Annotated[float, Field(ge=0, le=60)] = 30
    """How far the clocks of the issuer and of this machine may be apart."""
    oidc_jwks_seconds: Annotated[float, Field(ge=1, le=86_400)] = 300
    """How long the issuer's keys are kept: a key that it has retired counts no longer than this."""

    @field_validator("oidc_issuer")
    @classmethod
    def _issuer_makes_tokens_for_us(cls, issuer: str | None, info: ValidationInfo) -> str | None:
        if issuer is not None:
            refuse_when_open(info)
            if info.data.get("oidc_audience") is None:
                raise ValueError("its tokens may be for others: set GATEWAY_OIDC_AUDIENCE")
        return issuer


def refuse_when_open(info: ValidationInfo) -> None:
    """Refuse a way in while everybody is let in.

    Raises:
        ValueError: when authentication is off.
    """
    data: dict[str, Any] = info.data
    if data.get("auth") == "off":
        raise ValueError("GATEWAY_AUTH=off lets everybody in; set one of them")
