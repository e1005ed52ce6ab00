"""Cursors of paged views: where the page before ended. Callers hand them back and do not look inside."""

import base64
import json
from typing import cast


class InvalidCursorError(ValueError):
    """Somebody handed in a cursor that this view never gave out."""


def encode_cursor(*parts: str) -> str:
    """Return the cursor that stands for the key of a page's last row; it needs no escaping in a URL."""
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def decode_cursor(cursor: str, *, parts: int) -> tuple[str, ...]:
    """Return the key that `encode_cursor` was given.

    Raises:
        InvalidCursorError: when this is no cursor of that many parts; the view answers 422.
    """
    try:
        key: object = json.loads(base64.urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4)))
    except ValueError:
        raise InvalidCursorError from None
    if not isinstance(key, list) or len(cast("list[object]", key)) != parts:
        raise InvalidCursorError
    values = cast("list[object]", key)
    if not all(isinstance(value, str) for value in values):
        raise InvalidCursorError
    return tuple(cast("list[str]", values))
