"""Whether two requests ask for the same thing."""

import hashlib

import rfc8785

from platform_gateway.rest_models import RestModel


def fingerprint(body: RestModel | None, **path: str) -> str:
    """Return the SHA-256 of the canonical JSON (RFC 8785) of a request: its body, if any, and what its path names.

    The order of members, white space and members that we do not know make no difference. A member that has its default
    is the same as none: so a body has the same fingerprint once a newer gateway knows another optional member.
    """
    members = {} if body is None else body.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    request = {**members, **path}
    return hashlib.sha256(rfc8785.dumps(request)).hexdigest()
