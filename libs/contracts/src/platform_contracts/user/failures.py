"""Failures of the user domain."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class UserFailure(StrEnum):
    """The failure types, as they stand in histories."""

    INVALID_ACCOUNT_DETAILS = "user.InvalidAccountDetails"
    ACCOUNT_DETAILS_DIFFER = "user.AccountDetailsDiffer"
    UNKNOWN_NOTIFICATION_TYPE = "user.UnknownNotificationType"


USER_FAILURE_TEXTS: Final[Mapping[str, str]] = {
    UserFailure.INVALID_ACCOUNT_DETAILS: "The e-mail address or the name is not valid.",
    UserFailure.ACCOUNT_DETAILS_DIFFER: "This user was onboarded with other details.",
    UserFailure.UNKNOWN_NOTIFICATION_TYPE: "There is no notification of this type.",
}
