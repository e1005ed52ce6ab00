"""How the acquirer misbehaves on purpose: by the token of an operation, or by a schedule of faults from a seed."""

import hashlib
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class Lost(StrEnum):
    """How the answer to something that was done gets lost."""

    ERROR = "error"
    """500 in its place."""
    HANG = "hang"
    """Nothing, until the client gives up."""


class Faults(BaseModel):
    """A schedule of faults for every request. The same seed faults the same attempts of the same requests."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)

    seed: int = 0
    rate: Annotated[float, Field(ge=0, le=1)] = 0
    """The share of requests that go wrong."""
    done_but_lost_share: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Of those, the share that is done and whose answer is lost; the others get 500 and nothing is done."""
    delay_seconds: Annotated[float, Field(ge=0, le=60)] = 0
    """How long each request waits before anything is done."""
    kinds: Annotated[tuple[Lost, ...], Field(min_length=1)] = (Lost.ERROR, Lost.HANG)
    """How answers get lost, in equal shares."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What happens to one attempt of a request."""

    delay_seconds: float = 0
    """How long it waits before anything is done."""
    answers_after_seconds: float = 0
    """How long the answer waits once it is done."""
    fails_before: bool = False
    """500, and nothing is done."""
    lost: Lost | None = None
    """Done, and the answer is lost like this; None: it arrives."""


class WebhookFaults(BaseModel):
    """How events fare on their way to the receiver. The same seed treats the same changes the same."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)

    seed: int = 0
    duplicate_rate: Annotated[float, Field(ge=0, le=1)] = 0
    """The share of events that are sent twice."""
    late_rate: Annotated[float, Field(ge=0, le=1)] = 0
    """The share of events that wait before they are sent, so that later ones overtake them."""
    longest_delay_seconds: Annotated[float, Field(ge=0, le=600)] = 1
    """How long they wait at most; each its own time."""


@dataclass(frozen=True, kw_only=True)
class Fate:
    """How one event fares."""

    delay: timedelta = timedelta(0)
    """How long it waits before it is sent."""
    copies: int = 1
    """How often it is sent."""


NO_FAULTS: Final = Faults()
NO_WEBHOOK_FAULTS: Final = WebhookFaults()

_FIRST: Final = 1


class Misbehaviour:
    """Decides what goes wrong with each attempt, and with each event.

    Attempts are counted in memory: to a restarted acquirer every request is new, and its first faults come again.
    """

    def __init__(self, *, slow_seconds: float) -> None:
        """Misbehave by tokens alone, until told otherwise."""
        self.faults = NO_FAULTS
        self.webhook_faults = NO_WEBHOOK_FAULTS
        self._slow_seconds = slow_seconds
        self._attempts: Counter[tuple[str, str]] = Counter()

    def fate_of(self, event: str) -> Fate:
        """Return how an event fares, by its type and subject."""
        return fated(self.webhook_faults, event=event)

    def next_attempt(self, operation: str, call: str, *, token: str | None) -> Plan:
        """Return what happens to this attempt of a call on an operation; only authorisations come with a token."""
        self._attempts[operation, call] += 1
        attempt = self._attempts[operation, call]
        by_token = self._by_token(token, is_first=attempt == _FIRST)
        if by_token is not None:
            return by_token
        return planned(self.faults, operation=operation, call=call, attempt=attempt)

    def _by_token(self, token: str | None, *, is_first: bool) -> Plan | None:
        match token:
            case "tok_slow":
                return Plan(answers_after_seconds=self._slow_seconds)
            case "tok_500_before" if is_first:
                return Plan(fails_before=True)
            case "tok_500_after" if is_first:
                return Plan(lost=Lost.ERROR)
            case "tok_hang_after" if is_first:
                return Plan(lost=Lost.HANG)
            case _:
                return None


def planned(faults: Faults, *, operation: str, call: str, attempt: int) -> Plan:
    """Return what the schedule has for one attempt: always the same for the same seed."""
    goes_wrong, is_done, kind = _dice(f"{faults.seed}|{operation}|{call}|{attempt}")
    if goes_wrong >= faults.rate:
        return Plan(delay_seconds=faults.delay_seconds)
    if is_done >= faults.done_but_lost_share:
        return Plan(delay_seconds=faults.delay_seconds, fails_before=True)
    return Plan(delay_seconds=faults.delay_seconds, lost=faults.kinds[int(kind * len(faults.kinds))])


def fated(faults: WebhookFaults, *, event: str) -> Fate:
    """Return how an event fares: always the same for the same seed."""
    is_late, is_doubled, share = _dice(f"{faults.seed}|{event}")
    delay = faults.longest_delay_seconds * share if is_late < faults.late_rate else 0
    return Fate(delay=timedelta(seconds=delay), copies=2 if is_doubled < faults.duplicate_rate else 1)


def _dice(text: str) -> tuple[float, float, float]:
    """Return three numbers from 0 up to 1 that depend on nothing but the text."""
    digest = hashlib.sha256(text.encode()).digest()
    first, second, third = (int.from_bytes(digest[start : start + 6]) / 2**48 for start in (0, 6, 12))
    return first, second, third
