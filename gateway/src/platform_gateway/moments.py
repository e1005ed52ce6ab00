"""Moments as the API takes them."""

import re
from typing import Annotated, Final

from pydantic import AwareDatetime, BeforeValidator, Field

_DATE_AND_TIME: Final = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]")


def _written_out(value: object) -> object:
    # A bare number would be taken for the seconds since 1970.
    if not isinstance(value, str) or _DATE_AND_TIME.match(value) is None:
        raise ValueError("write it as in RFC 3339, such as 2026-11-23T12:00:00Z")
    return value


# Not strict, for JSON has no other way to write it than as text.
Moment = Annotated[AwareDatetime, Field(strict=False), BeforeValidator(_written_out)]
