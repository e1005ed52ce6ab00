"""Cursors of the lists that Temporal pages: its own token, bound to the list that it was given for."""

import base64
import hashlib

from platform_gateway.problems import invalid_field
from platform_runtime.page_cursor import InvalidCursorError, decode_cursor, encode_cursor


def cursor_of(token: bytes, *bound_to: str) -> str | None:
    """Return the cursor of the page after this one; None after the last page.

    Any gateway accepts it. It is no secret and protects nothing: what a page may show, its query decides.

    Args:
        token: what Temporal answered with the page.
        bound_to: the list, its tenant and its filter.
    """
    if not token:
        return None
    return encode_cursor(base64.b64encode(token).decode(), _digest(token, bound_to))


def token_of(cursor: str | None, *bound_to: str) -> bytes:
    """Return the token for the page, empty for the first one.

    Raises:
        Problem: `INVALID_REQUEST` for a cursor that no page of this list gave out; Temporal would answer it with an
            error that looks as if it were away.
    """
    if cursor is None:
        return b""
    try:
        text, digest = decode_cursor(cursor, parts=2)
        token = base64.b64decode(text, validate=True)
    except (InvalidCursorError, ValueError):
        raise _unknown() from None
    if digest != _digest(token, bound_to):
        raise _unknown()
    return token


def _unknown() -> Exception:
    return invalid_field("query", "cursor", "not the `nextCursor` of a page of this list")


def _digest(token: bytes, bound_to: tuple[str, ...]) -> str:
    return hashlib.sha256(b"\n".join([*(part.encode() for part in bound_to), token])).hexdigest()[:16]
