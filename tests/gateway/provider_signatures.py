"""Signs events as providers do, with code that is not the gateway's."""

import hashlib
import hmac
import json
import time
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from standardwebhooks.webhooks import Webhook

ACQUIRER_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER_SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
STRIPE_SECRET = "whsec_a_secret_of_the_endpoint"

ACQUIRER = "/v1/provider-events/acquirer"
STRIPE = "/v1/provider-events/stripe"


def new_event_id() -> str:
    """Return the id of an event that no other test sends."""
    return f"evt_{uuid4().hex}"


def event_bytes(event_id: str, **members: Any) -> bytes:
    """Return an event's body."""
    return json.dumps({"id": event_id, "type": "charge.captured", **members}).encode()


def standard_headers(
    event_id: str, body: bytes, *, secret: str = ACQUIRER_SECRET, seconds_ago: float = 0
) -> dict[str, str]:
    """Return the headers of a Standard Webhook."""
    seconds = int(time.time() - seconds_ago)
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": Webhook(secret).sign(event_id, datetime.fromtimestamp(seconds, UTC), body.decode()),
    }


def stripe_headers(body: bytes, *, secret: str = STRIPE_SECRET, seconds_ago: float = 0) -> dict[str, str]:
    """Return the header of an event of Stripe."""
    seconds = int(time.time() - seconds_ago)
    signature = hmac.new(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    return {"Stripe-Signature": f"t={seconds},v1={signature},v0=00"}
