"""Which ways in are open, as the settings say."""

import httpx

from platform_gateway.identity.audit import AuditLog
from platform_gateway.identity.auth import Authentication
from platform_gateway.identity.key_store import KeyStore
from platform_gateway.identity.oidc_keys import IssuerKeys
from platform_gateway.identity.oidc_tokens import OidcTokens, TokenRules
from platform_gateway.identity.stored_keys import StoredKeys
from platform_gateway.protection.tenant_limits import TenantLimits
from platform_gateway.settings import GatewaySettings


def authentication(
    settings: GatewaySettings,
    *,
    audit: AuditLog,
    keys: KeyStore | None,
    http: httpx.AsyncClient | None,
    limits: TenantLimits,
) -> Authentication:
    """Return what tells who calls.

    Args:
        settings: which ways in there are.
        audit: where denials and decisions are kept.
        keys: the API keys of the database; None: there are none.
        http: asks the OIDC issuer; None: there is none.
        limits: what each account may ask of this process.
    """
    if not settings.is_authenticated:
        return Authentication(audit, limits=limits, is_open=True)
    return Authentication(
        audit,
        limits=limits,
        static_key=settings.key(),
        tenant=settings.tenant,
        keys=None if keys is None else StoredKeys(keys, audit),
        tokens=None if http is None else _tokens(settings, http),
    )


def _tokens(settings: GatewaySettings, http: httpx.AsyncClient) -> OidcTokens | None:
    if settings.oidc_issuer is None or settings.oidc_audience is None:
        return None
    keys = IssuerKeys(
        http,
        issuer=settings.oidc_issuer,
        url=settings.oidc_jwks_url,
        fresh_seconds=settings.oidc_jwks_seconds,
    )
    rules = TokenRules(
        issuer=settings.oidc_issuer,
        audience=settings.oidc_audience,
        algorithms=settings.oidc_algorithms,
        types=frozenset(settings.oidc_token_types),
        tenant_claim=settings.oidc_tenant_claim,
        role_claim=settings.oidc_role_claim,
        leeway_seconds=settings.oidc_leeway_seconds,
    )
    return OidcTokens(keys, rules)
