"""The ports of payouts in memory, a provider that misbehaves, and a worker that runs on them."""

from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker

from payment_service.activities.payout_plans import PayoutPlanActivities
from payment_service.activities.payouts import PayoutActivities, PayoutTimings
from payment_service.domain.escalations import Escalation
from payment_service.domain.payouts import (
    MAY_COME_FROM,
    OPEN,
    CarriedReason,
    DuePayout,
    NewPayout,
    PayoutPlan,
    PayoutPosition,
    PayoutStatus,
    StoredPayout,
    needs_review,
    reserved,
)
from payment_service.domain.provider import MovementStatus, PayoutOrder
from payment_service.ports import NoAnswerError
from payment_service.workflows.partner_payout import PartnerPayoutWorkflow
from payment_service.workflows.payout_plan_change import PayoutPlanChangeWorkflow
from payment_service.workflows.payout_run import PayoutRunWorkflow
from payment_service.workflows.payout_sync import PayoutSyncWorkflow
from platform_contracts.task_queues import TaskQueue
from platform_contracts.user.partner_capabilities import (
    PARTNER_CAPABILITIES,
    PartnerCapabilities,
    PartnerCapabilitiesRequest,
)
from platform_runtime.sandbox import workflow_runner
from tests.fakes.payment import euros
from tests.fakes.payment_escalations import FakeEscalations

CUT = datetime(2026, 11, 23, tzinfo=UTC)
LONG = timedelta(hours=1)


class FakePayouts:
    """Keeps payouts and one payable balance per partner, in euros."""

    def __init__(self, *, plan: PayoutPlan | None = None, **balances: int) -> None:
        """Owe these partners these amounts."""
        self.rows: dict[tuple[str, str], StoredPayout] = {}
        self.balances = balances
        self.plan = plan or PayoutPlan()
        self.moves: list[PayoutStatus] = []
        self.escalations = FakeEscalations()

    def status_of(self, payout_id: str, *, partner: str = "acme") -> PayoutStatus:
        return self.rows[partner, payout_id].status

    async def reserve(self, new: NewPayout, *, now: datetime) -> StoredPayout:
        key = new.partner, new.payout_id
        if key in self.rows:
            return self.rows[key]
        is_busy = any(row.partner == new.partner and row.status in OPEN for row in self.rows.values())
        taken = reserved(self.balances.get(new.partner, 0), self.plan)
        carried = CarriedReason.ANOTHER_IS_OPEN if is_busy else taken.carried
        amount = 0 if carried else taken.amount
        self.rows[key] = StoredPayout(
            partner=new.partner,
            payout_id=new.payout_id,
            status=PayoutStatus.RESERVED if carried is None else PayoutStatus.CARRIED,
            amount=euros(amount),
            withheld=euros(0 if carried else taken.withheld),
            carried=carried,
            cut=new.cut,
            requested_by=new.requested_by,
            needs_review=needs_review(amount, self.plan),
            destination=self.plan.destination,
            provider=new.provider,
            reserve_until=None,
            created_at=now,
            changed_at=now,
        )
        if carried is None:
            self.balances[new.partner] -= taken.amount + taken.withheld
        return self.rows[key]

    async def find(self, *, partner: str, payout_id: str) -> StoredPayout | None:
        return self.rows.get((partner, payout_id))

    async def wait(self, *, partner: str, payout_id: str, to: PayoutStatus, now: datetime) -> StoredPayout:
        self._move(partner, payout_id, to)
        return self.rows[partner, payout_id]

    async def begin_sending(self, *, partner: str, payout_id: str, now: datetime) -> StoredPayout:
        if self.balances[partner] < 0:
            row = self.rows[partner, payout_id]
            if self._move(partner, payout_id, PayoutStatus.CARRIED):
                self._restore(row)
                self.rows[partner, payout_id] = replace(
                    self.rows[partner, payout_id], carried=CarriedReason.BALANCE_FELL, amount=euros(0)
                )
        else:
            self._move(partner, payout_id, PayoutStatus.SENDING)
        return self.rows[partner, payout_id]

    async def give_back(self, *, partner: str, payout_id: str, to: PayoutStatus, now: datetime) -> StoredPayout | None:
        row = self.rows.get((partner, payout_id))
        if row is not None and self._move(partner, payout_id, to):
            self._restore(row)
        return self.rows.get((partner, payout_id))

    async def paid(self, *, partner: str, payout_id: str, now: datetime) -> StoredPayout:
        self._move(partner, payout_id, PayoutStatus.PAID)
        return self.rows[partner, payout_id]

    async def failed(self, *, partner: str, payout_id: str, escalation: Escalation, now: datetime) -> StoredPayout:
        if self._move(partner, payout_id, PayoutStatus.FAILED):
            self._restore(self.rows[partner, payout_id])
        return self.rows[partner, payout_id]

    async def unresolved(self, *, partner: str, payout_id: str, escalation: Escalation) -> None:
        if self.status_of(payout_id, partner=partner) is PayoutStatus.SENDING:
            await self.escalations.open(escalation)

    async def returned(self, *, partner: str, payout_id: str, escalation: Escalation, now: datetime) -> StoredPayout:
        if self._move(partner, payout_id, PayoutStatus.RETURNED):
            self.balances[partner] += self.rows[partner, payout_id].amount.minor_units
        return self.rows[partner, payout_id]

    async def page(self, *, partner: str, limit: int, after: PayoutPosition | None) -> Sequence[StoredPayout]:
        rows = sorted((row for row in self.rows.values() if row.partner == partner), key=lambda row: row.payout_id)
        return [row for row in rows if after is None or row.payout_id > after.payout_id][:limit]

    def _move(self, partner: str, payout_id: str, to: PayoutStatus) -> bool:
        row = self.rows[partner, payout_id]
        if row.status not in MAY_COME_FROM[to]:
            return False
        self.rows[partner, payout_id] = replace(row, status=to)
        self.moves.append(to)
        return True

    def _restore(self, row: StoredPayout) -> None:
        self.balances[row.partner] += row.amount.minor_units + row.withheld.minor_units


class FakePlans:
    """Keeps plans, and says who is due."""

    def __init__(self, *due: str) -> None:
        """Have these partners be due."""
        self.plans: dict[tuple[str, str], tuple[PayoutPlan, datetime]] = {}
        self.due_partners = due

    async def find(self, *, partner: str, currency: str) -> tuple[PayoutPlan, bool]:
        own = self.plans.get((partner, currency))
        return (PayoutPlan(), False) if own is None else (own[0], True)

    async def save(
        self, *, partner: str, currency: str, plan: PayoutPlan, change_id: str, changed_by: str, changed_at: datetime
    ) -> None:
        known = self.plans.get((partner, currency))
        if known is None or known[1] <= changed_at:
            self.plans[partner, currency] = plan, changed_at

    async def due(
        self, *, cut: datetime, now: datetime, after: DuePayout | None, limit: int
    ) -> tuple[Sequence[DuePayout], DuePayout | None]:
        # A page has one, so that every run has several.
        rest = [each for each in sorted(self.due_partners) if after is None or each > after.partner][:1]
        page = [DuePayout(partner=each, currency="EUR", exponent=2) for each in rest]
        return page, page[-1] if page else None


class FakePayoutProvider:
    """Pays in memory; answers can get lost, and payouts can take their time, fail or come back."""

    def __init__(
        self,
        *,
        pays_as: MovementStatus = MovementStatus.SUCCEEDED,
        away_for: int = 0,
        loses_answers: int = 0,
    ) -> None:
        """Let each new payout stand like this; so many calls fail with nothing done, so many are done untold."""
        self.name = "acquirer"
        self.book: dict[str, MovementStatus] = {}
        self.paid: list[PayoutOrder] = []
        """What was sent, each once, in its order."""
        self.calls: Counter[str] = Counter()
        self.pays_as = pays_as
        self.away_for = away_for
        self.loses_answers = loses_answers

    async def pay_out(self, order: PayoutOrder) -> MovementStatus:
        self._call("pay_out")
        key = f"{order.partner}.{order.payout_id}"
        if key not in self.book:
            self.book[key] = self.pays_as
            self.paid.append(order)
        if self.loses_answers > 0:
            self.loses_answers -= 1
            raise NoAnswerError("lost")
        return self.book[key]

    async def find_payout(self, order: PayoutOrder) -> MovementStatus | None:
        self._call("find_payout")
        return self.book.get(f"{order.partner}.{order.payout_id}")

    def becomes(self, status: MovementStatus, *payout_ids: str, partner: str = "acme") -> None:
        """Let the payouts stand like this from now on."""
        for payout_id in payout_ids:
            self.book[f"{partner}.{payout_id}"] = status

    def _call(self, verb: str) -> None:
        self.calls[verb] += 1
        if self.away_for > 0:
            self.away_for -= 1
            raise NoAnswerError("away")


class FakeCapabilities:
    """Says who may be paid."""

    def __init__(self, *, may_not_be_paid: Sequence[str] = ()) -> None:
        """Refuse these."""
        self.may_not_be_paid = set(may_not_be_paid)
        self.asked = 0

    @activity.defn(name=PARTNER_CAPABILITIES.name)
    async def partner_capabilities(self, request: PartnerCapabilitiesRequest) -> PartnerCapabilities:
        """Answer for the partner."""
        self.asked += 1
        return PartnerCapabilities(can_sell=True, can_be_paid=request.tenant not in self.may_not_be_paid)


def timings(**changes: timedelta) -> PayoutTimings:
    """Return timings under which nothing happens by itself, except what is changed."""
    waits = {"recheck_after": LONG, "remind_after": 2 * LONG, "overdue_after": 3 * LONG, "look_after": LONG}
    return PayoutTimings.model_validate({**waits, "unresolved_after": 24 * LONG, **changes})


@dataclass
class PayoutPorts:
    """All fakes of payouts together."""

    payouts: FakePayouts = field(default_factory=FakePayouts)
    plans: FakePlans = field(default_factory=FakePlans)
    provider: FakePayoutProvider = field(default_factory=FakePayoutProvider)
    escalations: FakeEscalations = field(default_factory=FakeEscalations)
    capabilities: FakeCapabilities | None = field(default_factory=FakeCapabilities)
    timings: PayoutTimings = field(default_factory=timings)

    def __post_init__(self) -> None:
        """Have one list of what waits for a person."""
        self.payouts.escalations = self.escalations

    def payout_activities(self) -> PayoutActivities:
        """Return the real activities on these ports."""
        return PayoutActivities(self.payouts, self.provider, self.escalations, timings=self.timings)


@asynccontextmanager
async def payout_worker(
    client: Client, ports: PayoutPorts, *, task_queue: str, max_cached_workflows: int = 1000
) -> AsyncGenerator[None]:
    """Run the real workflows and activities on fake ports; and who may be paid is answered, unless that is None."""
    of_payouts, of_plans = ports.payout_activities(), PayoutPlanActivities(ports.plans)
    own = Worker(
        client,
        task_queue=task_queue,
        workflows=[PartnerPayoutWorkflow, PayoutPlanChangeWorkflow, PayoutRunWorkflow, PayoutSyncWorkflow],
        activities=[
            of_payouts.reserve_payout,
            of_payouts.hold_payout,
            of_payouts.give_back_payout,
            of_payouts.begin_payout,
            of_payouts.send_payout,
            of_payouts.sync_payout,
            of_payouts.escalate_payout,
            of_plans.save_payout_plan,
            of_plans.find_due_payouts,
        ],
        workflow_runner=workflow_runner(),
        max_cached_workflows=max_cached_workflows,
        graceful_shutdown_timeout=timedelta(seconds=1),
    )
    if ports.capabilities is None:
        async with own:
            yield
        return
    users = Worker(client, task_queue=TaskQueue.USER, activities=[ports.capabilities.partner_capabilities])
    async with own, users:
        yield
