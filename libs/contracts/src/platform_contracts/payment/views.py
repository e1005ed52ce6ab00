"""What the payment service shows: balances and charges."""

from datetime import datetime
from typing import Final

from pydantic import AwareDatetime

from platform_contracts.identifiers import ClientId
from platform_contracts.message import ContractModel
from platform_contracts.money import Money
from platform_contracts.payment.charge import ChargeStatus
from platform_contracts.view import View


class BalancesQuery(ContractModel):
    """When; the account that asks is whose balances they are."""

    at: AwareDatetime | None = None
    """The balances as they were at this moment; None: now."""


class Balances(ContractModel):
    """What the platform owes a seller, an amount per currency; an account without sales has none."""

    balances: tuple[Money, ...]
    as_of: datetime


class ChargeQuery(ContractModel):
    """Which operation's charge."""

    operation_id: ClientId


class Charge(ContractModel):
    """A charge as its buyer's account sees it."""

    operation_id: ClientId
    status: ChargeStatus
    amount: Money


class ChargeAnswer(ContractModel):
    """The charge, or None where there is none."""

    charge: Charge | None


BALANCES: Final = View(path="/views/balances", query_type=BalancesQuery, answer_type=Balances)
CHARGE: Final = View(path="/views/charge", query_type=ChargeQuery, answer_type=ChargeAnswer)
