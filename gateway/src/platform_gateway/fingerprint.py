"""Whether two requests ask for the same thing."""

import hashlib

import rfc8785

from platform_gateway.rest_models import RestModel


def fingerprint(body: RestModel | None, **path: str) -> str:
    """Return the SHA-256 of the canonical JSON (RFC 8785) of a request: its body, if any, and what its path names.

    The order of members, white space and members that we do not know make no difference.
    """
    members = {} if body is None else body.model_dump(mode="json", by_alias=True)
    request = {**members, **path}
    return hashlib.sha256(rfc8785.dumps(request)).hexdigest()
