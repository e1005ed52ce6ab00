"""What a client asks for in headers: once, by `Idempotency-Key`; with the result, by `Prefer: wait`."""

import re
from typing import Annotated, Any, Final

from fastapi import Depends, Header, Request

from platform_gateway.problems import Kind, Problem

MAX_WAIT_SECONDS: Final = 30
"""How long `Prefer: wait` can hold a request; proxies in between often give up after 60 s."""

MAX_KEY_CHARACTERS: Final = 255

_WORD: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]++"
_QUOTED: Final = r'"(?:[^"\\]|\\.)*+"'
_PREFERENCE: Final = re.compile(
    # Possessive throughout: a header that is made to be slow to read is read once all the same.
    rf"[ \t]*+({_WORD})(?:[ \t]*+=[ \t]*+({_WORD}|{_QUOTED}))?+"
    rf"(?:[ \t]*+;[ \t]*+(?:{_WORD}(?:[ \t]*+=[ \t]*+(?:{_WORD}|{_QUOTED}))?+)?+)*+[ \t]*+(?:,|$)"
)
"""One preference of RFC 7240 with its parameters, which none of ours has."""

_STRING: Final = re.compile(r'"(?:[ !#-\[\]-~]|\\["\\])*+"')
"""A String of RFC 8941, section 3.3.3: visible ASCII and spaces, and two characters that are escaped."""

_BARE: Final = re.compile(r"[!#-~][!-~]*+")


def key_of(values: list[str]) -> str | None:
    """Return the key that the values of the header `Idempotency-Key` say; None without any.

    The header is a String of RFC 8941, in quotes (draft-ietf-httpapi-idempotency-key-header-07). A key without quotes
    is taken as it stands, and is the same key as the one in quotes: the first character tells them apart.

    Raises:
        Problem: `INVALID_IDEMPOTENCY_KEY`.
    """
    if not values:
        return None
    if len(values) > 1:
        raise _invalid("It comes more than once.")
    value = values[0].strip(" \t")
    if not value.startswith('"'):
        key = value
        if _BARE.fullmatch(value) is None:
            raise _invalid("Without quotes it is made of visible ASCII characters.")
    else:
        if _STRING.fullmatch(value) is None:
            raise _invalid("In quotes it is a string of RFC 8941, and nothing follows it.")
        key = re.sub(r"\\(.)", r"\1", value[1:-1])
    if not 1 <= len(key) <= MAX_KEY_CHARACTERS:
        raise _invalid(f"It has 1 to {MAX_KEY_CHARACTERS} characters.")
    return key


def wait_seconds_of(values: list[str]) -> int | None:
    """Return how long the values of the header `Prefer` ask to wait, at most `MAX_WAIT_SECONDS`; None for not at all.

    As RFC 7240 has it: the first `wait` counts, several headers are one list, and what cannot be understood is ignored.
    """
    text, position = ",".join(values), 0
    while position < len(text):
        found = _PREFERENCE.match(text, position)
        if found is None:
            # What is not a preference ends at the next comma.
            position = (text.find(",", position) + 1) or len(text)
            continue
        position = found.end()
        if found[1].lower() == "wait":
            seconds = (found[2] or "").strip('"')
            return min(int(seconds), MAX_WAIT_SECONDS) if re.fullmatch(r"[0-9]{1,20}", seconds) else None
    return None


# Documented as headers, but read by us: FastAPI would answer a key of wrong form with 422, and see one of two headers.
# Async although they wait for nothing: FastAPI would run them in threads on every request.
async def _idempotency_key(
    request: Request,
    _documented: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            description="A string in quotes, as draft-ietf-httpapi-idempotency-key-header-07 has it, or the same "
            f"without quotes; up to {MAX_KEY_CHARACTERS} characters of visible ASCII. The same key with the same body "
            "is the same request, and is done once. Where the path or the body names what is made, that name is the "
            "key, and this header is checked and not needed.",
            json_schema_extra={"pattern": r'^("([ !#-\[\]-~]|\\["\\]){1,255}"|[!#-~][!-~]{0,254})$'},
        ),
    ] = None,
) -> str | None:
    return key_of(request.headers.getlist("Idempotency-Key"))


async def _wait_seconds(
    request: Request,
    _documented: Annotated[
        str | None,
        Header(
            alias="Prefer",
            description=f"`wait=N`: wait up to N seconds for the result, at most {MAX_WAIT_SECONDS} (RFC 7240). "
            "`Preference-Applied` tells how many count.",
        ),
    ] = None,
) -> int | None:
    return wait_seconds_of(request.headers.getlist("Prefer"))


IdempotencyKey = Annotated[str | None, Depends(_idempotency_key)]
Prefer = Annotated[int | None, Depends(_wait_seconds)]
"""How long the client wants to wait, in seconds; None when it does not want to."""

PREFERENCE_APPLIED: Final[dict[str, Any]] = {
    "Preference-Applied": {"schema": {"type": "string"}, "description": "`wait=N`: so long was waited at most."}
}


def preference_applied(wait_seconds: int | None) -> dict[str, str]:
    """Return the header that tells how long was waited at most; none for whoever did not ask."""
    return {} if wait_seconds is None else {"Preference-Applied": f"wait={wait_seconds}"}


def _invalid(detail: str) -> Problem:
    return Problem(Kind.INVALID_IDEMPOTENCY_KEY, detail)
