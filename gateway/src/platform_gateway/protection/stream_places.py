"""How many streams an account may have open in this process."""

from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager

from platform_gateway.problems import Kind, Problem


class StreamPlaces:
    """Counts open streams by account: each holds a connection and a call on Temporal."""

    def __init__(self, per_tenant: int) -> None:
        """Allow so many to each account."""
        self._per_tenant = per_tenant
        self._taken: Counter[str] = Counter()

    @contextmanager
    def taken(self, tenant: str) -> Generator[None]:
        """Take a place for as long as the block runs.

        Raises:
            Problem: `TOO_MANY_STREAMS`.
        """
        if self._taken[tenant] >= self._per_tenant:
            raise Problem(Kind.TOO_MANY_STREAMS, f"An account has at most {self._per_tenant} open at a time.")
        self._taken[tenant] += 1
        try:
            yield
        finally:
            self._taken[tenant] -= 1
            if not self._taken[tenant]:
                del self._taken[tenant]
