"""What one tenant may ask of this process, so that the others get theirs: so much in a time, so much at once.

Each process counts for itself: N gateways behind one address let N times as much through.
"""

import math
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from platform_gateway.problems import Kind, Problem

_IN_FLIGHT_RETRY_SECONDS: Final = 1
"""Nobody knows when one of them will end; most end sooner."""


@dataclass(frozen=True)
class Admission:
    """A request that was let in."""

    headers: dict[str, str]
    """What its answer tells about the limits, as draft-ietf-httpapi-ratelimit-headers-10 has it."""
    leave: Callable[[], None]
    """Gives its place back; to be called once."""


class TenantLimits:
    """Counts requests by tenant.

    Args:
        rate: how many in any window of a length, such as `100/second`; None: any number.
        in_flight: how many at once; None: any number.
    """

    def __init__(self, *, rate: str | None = None, in_flight: int | None = None) -> None:
        self._rate = None if rate is None else parse(rate)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._most_in_flight = in_flight
        self._in_flight: Counter[str] = Counter()
        policies: list[str] = []
        if self._rate is not None:
            policies.append(f'"rate";q={self._rate.amount};w={self._rate.get_expiry()}')
        if in_flight is not None:
            policies.append(f'"in-flight";q={in_flight};qu="concurrent-requests"')
        self._policy = ", ".join(policies)

    def admit(self, tenant: str) -> Admission:
        """Count a request of the tenant.

        Raises:
            Problem: `TOO_MANY_IN_FLIGHT` or `RATE_LIMITED`; then it does not count.
        """
        left = self._places_left(tenant)
        told = self._take_of_rate(tenant)
        self._in_flight[tenant] += 1
        if left is not None:
            told.append(f'"in-flight";r={left - 1}')
        return Admission(self._headers(told), leave=lambda: self._leave(tenant))

    def _places_left(self, tenant: str) -> int | None:
        if self._most_in_flight is None:
            return None
        left = self._most_in_flight - self._in_flight[tenant]
        if left <= 0:
            detail = f"At most {self._most_in_flight} at once; wait for the answer to one of them."
            told = [f'"in-flight";r=0;t={_IN_FLIGHT_RETRY_SECONDS}']
            raise self._refusal(Kind.TOO_MANY_IN_FLIGHT, detail, told, _IN_FLIGHT_RETRY_SECONDS)
        return left

    def _take_of_rate(self, tenant: str) -> list[str]:
        if self._rate is None:
            return []
        is_let_in = self._limiter.hit(self._rate, tenant)
        window = self._limiter.get_window_stats(self._rate, tenant)
        # When the oldest request falls out of the window, and makes room for another one.
        seconds = max(math.ceil(window.reset_time - time.time()), 1)
        told = [f'"rate";r={window.remaining};t={seconds}']
        if not is_let_in:
            raise self._refusal(Kind.RATE_LIMITED, f"At most {self._rate}.", told, seconds)
        return told

    def _leave(self, tenant: str) -> None:
        self._in_flight[tenant] -= 1
        if not self._in_flight[tenant]:
            # Tenants come and go; those without a request take no memory.
            del self._in_flight[tenant]

    def _refusal(self, kind: Kind, detail: str, told: list[str], retry_after_seconds: int) -> Problem:
        return Problem(kind, detail, headers={**self._headers(told), "Retry-After": str(retry_after_seconds)})

    def _headers(self, told: list[str]) -> dict[str, str]:
        return {"RateLimit-Policy": self._policy, "RateLimit": ", ".join(told)} if told else {}
