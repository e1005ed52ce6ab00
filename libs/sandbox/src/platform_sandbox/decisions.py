"""What the acquirer decides on a request: whether it is done, and the words that a refusal is told in."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import Any, Final, Generic, TypeVar

SubjectT = TypeVar("SubjectT")


class Refusal(StrEnum):
    """Why something was not done: `code` in the answer."""

    DECLINED = "declined"
    VOIDED = "voided"
    EXPIRED = "expired"
    DIFFERENT = "different"
    NOT_AUTHORISED = "not_authorised"
    ABOVE_AUTHORISED = "above_authorised"
    REFUSED = "refused"
    CAPTURED = "captured"
    CAPTURED_DIFFERENTLY = "captured_differently"
    NOT_CAPTURED = "not_captured"
    ABOVE_CAPTURED = "above_captured"
    UNKNOWN = "unknown"
    SETTLED = "settled"


TITLES: Final[Mapping[Refusal, str]] = {
    Refusal.DECLINED: "The card was declined",
    Refusal.VOIDED: "The operation was voided",
    Refusal.EXPIRED: "The authorisation has expired",
    Refusal.DIFFERENT: "It is known with other details",
    Refusal.NOT_AUTHORISED: "The operation is not authorised",
    Refusal.ABOVE_AUTHORISED: "That is more than was authorised",
    Refusal.REFUSED: "The capture was refused",
    Refusal.CAPTURED: "The operation is captured",
    Refusal.CAPTURED_DIFFERENTLY: "Another amount was captured",
    Refusal.NOT_CAPTURED: "The operation is not captured",
    Refusal.ABOVE_CAPTURED: "That is more than is left of what was captured",
    Refusal.UNKNOWN: "There is no such thing",
    Refusal.SETTLED: "It has ended otherwise",
}


@dataclass(frozen=True, kw_only=True)
class Decision(Generic[SubjectT]):
    """The answer to a request, and what of it goes into the book."""

    http_status: HTTPStatus
    refusal: Refusal | None = None
    becomes: SubjectT | None = None
    """None: the subject stays as it is."""
    is_done: bool = False
    """Whether money was reserved, moved or given back, which a journal keeps."""
    is_final: bool = True
    """Whether a repeat under the same key has to be answered the same for ever."""

    def body(self, described: Mapping[str, Any] | None, **about: str) -> Mapping[str, Any]:
        """Return what the client is told: the subject as it stands after this, or why it was refused."""
        if self.refusal is None:
            assert described is not None, "what is not refused can be described"
            return described
        problem = {"type": self.refusal, "title": TITLES[self.refusal], "status": int(self.http_status)}
        return {**problem, "code": self.refusal, **about}


def refused(
    refusal: Refusal,
    status: HTTPStatus = HTTPStatus.CONFLICT,
    *,
    becomes: SubjectT | None = None,
    is_final: bool = True,
) -> Decision[SubjectT]:
    """Return the decision that does nothing, for this reason."""
    return Decision(http_status=status, refusal=refusal, becomes=becomes, is_final=is_final)
