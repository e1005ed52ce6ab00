"""What providers sign their events with, over the bytes as they arrived: a body that was parsed first may differ."""

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final, Protocol

from standardwebhooks.webhooks import Webhook

_SECONDS: Final = re.compile(r"[0-9]{1,12}")


class Unverified(StrEnum):
    """Why an event is not taken for its provider's; told to the metric and the log, never to whoever sent it."""

    NO_SIGNATURE = "no_signature"
    MALFORMED = "malformed"
    TOO_OLD = "too_old"
    TOO_NEW = "too_new"
    WRONG_SIGNATURE = "wrong_signature"


class UnverifiedError(Exception):
    """This is not an event that the provider has signed just now."""

    def __init__(self, reason: Unverified) -> None:
        """Keep why."""
        super().__init__(reason)
        self.reason = reason


class Scheme(Protocol):
    """How a provider signs."""

    def verify(self, headers: Mapping[str, str], body: bytes, *, now: float) -> str | None:
        """Return the id that was signed beside the body; None where the scheme has none and the body tells it.

        Raises:
            UnverifiedError: when it is not signed with one of the secrets, within the tolerance of now.
        """
        ...


class StandardWebhooks:
    """The scheme of standardwebhooks.com, version 1: id, time and body, signed with HMAC-SHA256.

    The library makes the signature. Its own `verify` has a tolerance that cannot be set, and takes other exceptions for
    its answer where a header is malformed.
    """

    def __init__(self, secrets: Sequence[str], *, tolerance_seconds: int) -> None:
        """Accept each of the secrets (`whsec_` and base64)."""
        self._signers = [Webhook(secret) for secret in secrets]
        self._tolerance_seconds = tolerance_seconds

    def verify(self, headers: Mapping[str, str], body: bytes, *, now: float) -> str | None:
        """Return the event's id, which is signed."""
        event_id, time, given = (headers.get(f"webhook-{name}") for name in ("id", "timestamp", "signature"))
        if not event_id or not time or not given:
            raise UnverifiedError(Unverified.NO_SIGNATURE)
        seconds = _fresh(time, now=now, tolerance_seconds=self._tolerance_seconds)
        try:
            text = body.decode()
        except UnicodeDecodeError:
            # The scheme signs text; for other bytes there is no signature that could be right.
            raise UnverifiedError(Unverified.WRONG_SIGNATURE) from None
        at = datetime.fromtimestamp(seconds, UTC)
        _match(given.split(" "), [signer.sign(event_id, at, text) for signer in self._signers])
        return event_id


class StripeSignature:
    """The scheme of the header `Stripe-Signature`, as docs.stripe.com/webhooks describes it.

    The official library takes long to import, refuses no time that is to come, and would be the gateway's only use of
    it.
    """

    def __init__(self, secrets: Sequence[str], *, tolerance_seconds: int) -> None:
        """Accept each of the secrets, which are keys as they stand."""
        self._keys = [secret.encode() for secret in secrets]
        self._tolerance_seconds = tolerance_seconds

    def verify(self, headers: Mapping[str, str], body: bytes, *, now: float) -> str | None:
        """Return None: the body alone has the event's id."""
        header = headers.get("stripe-signature")
        if not header:
            raise UnverifiedError(Unverified.NO_SIGNATURE)
        parts = [part.strip().partition("=") for part in header.split(",")]
        times = [value for name, _, value in parts if name == "t"]
        if len(times) != 1:
            raise UnverifiedError(Unverified.MALFORMED)
        _fresh(times[0], now=now, tolerance_seconds=self._tolerance_seconds)
        signed = f"{times[0]}.".encode() + body
        # `v0` is for tests of the dashboard, and proves nothing.
        given = [value for name, _, value in parts if name == "v1"]
        _match(given, [hmac.new(key, signed, hashlib.sha256).hexdigest() for key in self._keys])
        return None


def _fresh(time: str, *, now: float, tolerance_seconds: int) -> int:
    if _SECONDS.fullmatch(time) is None:
        raise UnverifiedError(Unverified.MALFORMED)
    seconds = int(time)
    if seconds < now - tolerance_seconds:
        raise UnverifiedError(Unverified.TOO_OLD)
    if seconds > now + tolerance_seconds:
        raise UnverifiedError(Unverified.TOO_NEW)
    return seconds


def _match(given: Sequence[str], expected: Sequence[str]) -> None:
    # Every one with every one and to its end: how long it takes tells nothing about how near a guess was.
    matches = [hmac.compare_digest(one.encode(), other.encode()) for one in given for other in expected]
    if not any(matches):
        raise UnverifiedError(Unverified.WRONG_SIGNATURE)
