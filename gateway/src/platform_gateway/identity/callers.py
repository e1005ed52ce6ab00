"""Who calls, and what they may do."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from platform_contracts.identifiers import PLATFORM_TENANT
from platform_contracts.identifiers import tenant_of as owner_of

STAFF_TENANT: Final = PLATFORM_TENANT
"""The account of the people who run the marketplace; they may act for any other."""


class Scope(StrEnum):
    """One thing that a caller may be allowed to do; names end in what is done."""

    USERS_READ = "users:read"
    USERS_WRITE = "users:write"
    LISTINGS_READ = "listings:read"
    LISTINGS_WRITE = "listings:write"
    LISTINGS_REVIEW = "listings:review"
    PURCHASES_READ = "purchases:read"
    PURCHASES_WRITE = "purchases:write"
    REFUNDS_WRITE = "refunds:write"
    """Give purchases back; for who runs the marketplace, for a buyer does not decide that."""
    BALANCES_READ = "balances:read"
    PAYOUTS_READ = "payouts:read"
    PAYOUTS_WRITE = "payouts:write"
    """Ask for payouts, cancel them, change plans; for staff alone, whatever their role."""
    PAYOUTS_REVIEW = "payouts:review"
    """Approve or reject payouts; for staff alone."""
    ANALYTICS_READ = "analytics:read"
    OPERATIONS_READ = "operations:read"
    OPERATIONS_CANCEL = "operations:cancel"
    OPERATIONS_OPERATE = "operations:operate"
    """Retry, reset, pause, resume, also in bulk; and to read the raw text of failures."""
    OPERATIONS_TERMINATE = "operations:terminate"
    ESCALATIONS_READ = "escalations:read"
    ESCALATIONS_RESOLVE = "escalations:resolve"
    RECONCILIATIONS_READ = "reconciliations:read"
    SCHEDULES_READ = "schedules:read"
    SCHEDULES_OPERATE = "schedules:operate"
    API_KEYS_MANAGE = "api-keys:manage"
    AUDIT_READ = "audit:read"


class Role(StrEnum):
    """What a caller is to the marketplace; each role has the scopes of the work it does."""

    PARTNER = "partner"
    REVIEWER = "reviewer"
    OPERATOR = "operator"
    ADMIN = "admin"


_PARTNER: Final = frozenset(
    {
        Scope.USERS_READ,
        Scope.USERS_WRITE,
        Scope.LISTINGS_READ,
        Scope.LISTINGS_WRITE,
        Scope.PURCHASES_READ,
        Scope.PURCHASES_WRITE,
        Scope.BALANCES_READ,
        Scope.PAYOUTS_READ,
        Scope.ANALYTICS_READ,
        Scope.OPERATIONS_READ,
        Scope.OPERATIONS_CANCEL,
    }
)
_REVIEWER: Final = frozenset(
    {
        Scope.LISTINGS_READ,
        Scope.LISTINGS_REVIEW,
        Scope.PAYOUTS_READ,
        Scope.PAYOUTS_REVIEW,
        Scope.OPERATIONS_READ,
    }
)
_OPERATOR: Final = frozenset(
    {scope for scope in Scope if scope.value.endswith(":read")}
    | {Scope.OPERATIONS_CANCEL, Scope.OPERATIONS_OPERATE, Scope.SCHEDULES_OPERATE}
    | {Scope.ESCALATIONS_RESOLVE, Scope.REFUNDS_WRITE}
)

SCOPES_OF: Final[Mapping[Role, frozenset[Scope]]] = {
    Role.PARTNER: _PARTNER,
    Role.REVIEWER: _REVIEWER,
    Role.OPERATOR: _OPERATOR,
    Role.ADMIN: frozenset(Scope),
}
"""What each role may do. A reviewer sells nothing and an operator decides nothing: both are for other people."""


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Somebody who was let in, acting for one account."""

    tenant: str
    """The account that the request acts for."""
    subject: str
    """Who it is, as the audit log names them: `key:<id>`, `user:<sub>`, `static-key`, `anyone`."""
    scopes: frozenset[Scope]
    home: str | None = None
    """The account that the caller belongs to, when staff act for another one."""
    is_staff: bool = False
    """Whether it is one of those who run the marketplace: they see the platform's own work, such as schedules."""

    def account_of(self, an_id: str) -> str:
        """Return the account in which the caller looks for what has this id: staff see the platform's own work too."""
        if self.is_staff and owner_of(an_id) == STAFF_TENANT:
            return STAFF_TENANT
        return self.tenant

    @property
    def acts_for_another(self) -> bool:
        """Whether staff act for an account that is not their own."""
        return self.home is not None and self.home != self.tenant


def caller_with_every_scope(tenant: str, *, subject: str, is_staff: bool = False) -> Caller:
    """Return a caller who may do everything within an account."""
    return Caller(tenant=tenant, subject=subject, scopes=SCOPES_OF[Role.ADMIN], is_staff=is_staff)
