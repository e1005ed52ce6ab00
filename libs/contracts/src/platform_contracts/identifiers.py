"""Who owns a workflow and what it is about: tenants, ids chosen by clients, workflow ids."""

import hashlib
from typing import Annotated, Final

from pydantic import StringConstraints

TENANT_PATTERN: Final = r"^[a-z0-9-]{1,40}$"
"""A tenant is what stands before the first colon of a workflow id, so it holds none."""

CLIENT_ID_PATTERN: Final = r"^[A-Za-z0-9._~-]{1,64}$"
"""The unreserved characters of RFC 3986: such an id needs no escaping in a URL path."""

_MOST_ID_CHARACTERS: Final = 64
"""What a `ClientId` may have."""

PLATFORM_TENANT: Final = "platform"
"""The tenant of the platform's own work: its schedules and its staff."""

Tenant = Annotated[str, StringConstraints(pattern=TENANT_PATTERN)]
ClientId = Annotated[str, StringConstraints(pattern=CLIENT_ID_PATTERN)]


def workflow_id(*, tenant: str, domain: str, kind: str, key: str) -> str:
    """Return the workflow id of one business thing, for example `acme:user:user-onboarding:u-1`."""
    return f"{tenant}:{domain}:{kind}:{key}"


def tenant_of(a_workflow_id: str) -> str:
    """Return the tenant a workflow id belongs to: everything up to the first colon."""
    return a_workflow_id.partition(":")[0]


def short_id(kind: str, readable: str) -> str:
    """Return an id that is made of others: readable where that fits into a `ClientId`, else with a hash of it."""
    whole = f"{kind}-{readable}"
    if len(whole) <= _MOST_ID_CHARACTERS:
        return whole
    return f"{kind}-{hashlib.sha256(whole.encode()).hexdigest()[:32]}"


def idempotency_key_id(key: str) -> str:
    """Return the id that stands for an Idempotency-Key.

    Clients put what they like into such a key, an e-mail address even; a workflow id is readable by every operator, so
    only a hash of the key goes in. 128 bits are enough to never meet a second key by chance.
    """
    return hashlib.sha256(key.encode()).hexdigest()[:32]
