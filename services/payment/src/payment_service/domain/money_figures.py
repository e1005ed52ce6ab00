"""The figures by which the money is watched."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from payment_service.domain.reconciliation import Difference, FindingState


@dataclass(frozen=True, kw_only=True)
class MoneyFigures:
    """What there is to be seen of the money, at one moment."""

    escalations: Mapping[str, int]
    """How many wait, by reason."""
    findings: Mapping[tuple[Difference, FindingState], int]
    """How many movements differ."""
    finished: Mapping[str, datetime]
    """When the last reconciliation with a provider ended."""
    imbalance: Mapping[tuple[str, str], int]
    """What the balances of a phase and currency sum up to."""
    without_outcome: Mapping[int, int]
    """How many charges of unknown outcome are older than this many seconds."""
