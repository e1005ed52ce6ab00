"""What the payment service shows of its money to whoever watches: read from the database now and then."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from opentelemetry import metrics
from opentelemetry.metrics import CallbackOptions, Observation

from payment_service.domain.escalations import EscalationReason
from payment_service.domain.money_figures import MoneyFigures
from payment_service.reconciliation_ports import Figures

Labels = tuple[tuple[str, str], ...]

_log = logging.getLogger(__name__)

ESCALATIONS: Final = "payment_escalations_open"
FINDINGS: Final = "payment_reconciliation_findings"
FINISHED: Final = "payment_reconciliation_finished_timestamp"
LEDGER: Final = "payment_ledger_imbalance"
CHARGES: Final = "payment_charges_without_outcome"

_TEXTS: Final[Mapping[str, str]] = {
    ESCALATIONS: "Escalations that wait for a person, by reason",
    FINDINGS: "Movements that provider and ledger know differently, by difference and state",
    FINISHED: "When the last finished reconciliation with a provider ended, in seconds since 1970",
    LEDGER: "What the balances of a phase and currency sum up to, in minor units: zero, or money is made or lost",
    CHARGES: "Charges of unknown outcome that are older than this many seconds",
}


@dataclass
class _Shown:
    """What is shown until it is read again."""

    values: dict[str, dict[Labels, float]] = field(default_factory=dict[str, dict[Labels, float]])

    def take(self, figures: MoneyFigures) -> None:
        """Replace what is shown."""
        self.values = {
            # A reason that nobody waits for is shown with none: an alert that is over has to see that.
            ESCALATIONS: {(("reason", reason),): figures.escalations.get(reason, 0) for reason in EscalationReason},
            FINDINGS: {
                (("difference", difference), ("state", state)): count
                for (difference, state), count in figures.findings.items()
            },
            FINISHED: {(("provider", provider),): at.timestamp() for provider, at in figures.finished.items()},
            LEDGER: {
                (("phase", phase), ("currency", currency)): units
                for (phase, currency), units in figures.imbalance.items()
            },
            CHARGES: {(("older_than", str(age)),): count for age, count in figures.without_outcome.items()},
        }

    def observed(self, name: str) -> Sequence[Observation]:
        """Return the values of one metric."""
        return [Observation(value, dict(labels)) for labels, value in self.values.get(name, {}).items()]


@asynccontextmanager
async def money_metrics(figures: Figures, *, every_seconds: float) -> AsyncGenerator[None]:
    """Show the figures while the block runs. A database that is away leaves the last ones, and is tried again."""
    shown = _Shown()
    meter = metrics.get_meter("payment_service")
    for name, text in _TEXTS.items():

        def observe(_options: CallbackOptions, name: str = name) -> Sequence[Observation]:
            return shown.observed(name)

        meter.create_observable_gauge(name, callbacks=[observe], description=text)

    async def read() -> None:
        while True:
            try:
                shown.take(await figures.read())
            except Exception as error:  # noqa: BLE001 - whatever ails the database, the worker goes on
                _log.warning("money_metrics.not_read", extra={"reason": type(error).__name__})
            await asyncio.sleep(every_seconds)

    reading = asyncio.create_task(read())
    try:
        yield
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        shown.values = {}
