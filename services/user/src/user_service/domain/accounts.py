"""Accounts: whose they are, and what can be wrong with one."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

MAX_NAME_CHARACTERS: Final = 200
"""Longer than any name on a passport; what is longer is not a name."""


class AccountStatus(StrEnum):
    """Whether an account can be used; the words are stored, and equal those of the contract."""

    PENDING = "pending"
    ACTIVE = "active"


@dataclass(frozen=True, kw_only=True)
class AccountDetails:
    """Who the user is, checked and in one spelling, so that two of them can be compared."""

    email: str
    name: str


@dataclass(frozen=True, kw_only=True)
class StoredAccount:
    """An account as it is shown, without its personal data."""

    user_id: str
    status: AccountStatus
    created_at: datetime
    email_enabled: bool | None
    """None until the account is active: then it gets its preferences."""


@dataclass(frozen=True, kw_only=True)
class Recipient:
    """Where and whether a user with an active account takes e-mail."""

    email: str
    name: str
    email_enabled: bool


class InvalidAccountDetailsError(Exception):
    """No account can have these details."""

    def __init__(self, field: str, reason: str) -> None:
        """Say which field it is, and why; never its value, which is personal data."""
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


class AccountDetailsDifferError(Exception):
    """The user has an active account with other details."""

    def __init__(self, user_id: str) -> None:
        """Name the user, not the details."""
        super().__init__(f"user {user_id} was onboarded with other details")
        self.user_id = user_id
