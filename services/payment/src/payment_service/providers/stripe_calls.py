"""Calls to Stripe: its official client over our HTTP client, and what it means when one does not succeed."""

import asyncio
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import httpx
import stripe
from opentelemetry import trace
from pydantic import SecretStr

from payment_service.ports import NoAnswerError
from payment_service.providers.acquirer_client import UnexpectedAnswerError

_tracer = trace.get_tracer(__name__)

# It would tell Stripe with each call how long the one before took.
stripe.enable_telemetry = False


class RefusedError(Exception):
    """Stripe said no to what was asked, and did nothing."""

    def __init__(self, code: str) -> None:
        """Keep the code alone: the text may name a card."""
        super().__init__(f"Stripe refused it: {code}")
        self.code = code


class CardRefusedError(RefusedError):
    """It was the card that said no."""


class KeyReusedError(Exception):
    """The idempotency key was sent before, with something else."""


@contextmanager
def answers() -> Generator[None]:
    """Turn the client's errors inside the block into what they say of the outcome.

    Raises:
        NoAnswerError: when it may have happened or not, or another attempt with the same key is under way.
        RefusedError: when it did not, and never will with these details.
        KeyReusedError: when the key belongs to other details.
        UnexpectedAnswerError: when Stripe refuses us as a client, or nobody but Stripe can have answered so.
    """
    try:
        yield
    except stripe.CardError as error:
        raise CardRefusedError(error.code or "card_error") from None
    except stripe.IdempotencyError:
        raise KeyReusedError from None
    except stripe.InvalidRequestError as error:
        raise RefusedError(error.code or f"status {error.http_status}") from None
    except stripe.RateLimitError:
        raise NoAnswerError("status 429") from None
    except stripe.APIConnectionError as error:
        raise NoAnswerError(error.user_message or "connection") from None
    except stripe.StripeError as error:
        status = error.http_status or 0
        # 409: the attempt before is still being worked on. A success that cannot be read is none that says anything.
        says_nothing = status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.CONFLICT
        if says_nothing or status < HTTPStatus.MULTIPLE_CHOICES:
            raise NoAnswerError(f"status {status}") from None
        raise UnexpectedAnswerError(f"status {status}, {type(error).__name__}") from None


def stripe_api(http: httpx.AsyncClient, *, api_key: SecretStr, url: str, timeout_seconds: float) -> stripe.StripeClient:
    """Return Stripe's client over this HTTP client; the timeout bounds a whole call, connecting included.

    It tries nothing twice: Temporal is the only one who does.
    """
    return stripe.StripeClient(
        api_key.get_secret_value(),
        base_addresses={"api": url.rstrip("/")},
        http_client=_Http(http, timeout_seconds=timeout_seconds),
        max_network_retries=0,
    )


class _Http(stripe.HTTPClient):
    """Stripe's own one over httpx bounds each read and no call as a whole, and brings a connection pool of its own."""

    name = "httpx"

    def __init__(self, http: httpx.AsyncClient, *, timeout_seconds: float) -> None:
        super().__init__()  # pyright: ignore[reportUnknownMemberType]
        self._http = http
        self._timeout_seconds = timeout_seconds

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        split = urlsplit(url)
        with _tracer.start_as_current_span(
            _span_name(method, split.path),
            kind=trace.SpanKind.CLIENT,
            # Without the query: a search says what it looks for.
            attributes={"http.request.method": method.upper(), "url.full": split._replace(query="").geturl()},
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                async with asyncio.timeout(self._timeout_seconds):
                    answer = await self._http.request(
                        method, url, headers=dict(headers), content=post_data, timeout=self._timeout_seconds
                    )
            except (httpx.TransportError, TimeoutError) as error:
                span.set_attribute("error.type", type(error).__name__)
                span.set_status(trace.Status(trace.StatusCode.ERROR))
                raise stripe.APIConnectionError(type(error).__name__, should_retry=False) from None
            span.set_attribute("http.response.status_code", answer.status_code)
            if answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
                span.set_attribute("error.type", str(answer.status_code))
                span.set_status(trace.Status(trace.StatusCode.ERROR))
            return answer.content, answer.status_code, answer.headers


def _span_name(method: str, path: str) -> str:
    """Return `stripe.payment_intents.confirm`, or with the method where the path names no verb, and never an id."""
    _, _, resource, *rest = path.split("/")
    verb = rest[-1] if len(rest) > 1 or rest == ["search"] else method.lower()
    return f"stripe.{resource}.{verb}"
