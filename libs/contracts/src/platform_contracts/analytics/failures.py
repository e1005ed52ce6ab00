"""Failures of the analytics domain."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class AnalyticsFailure(StrEnum):
    """The failure types, as they stand in histories."""

    INVALID_EVENT = "analytics.InvalidEvent"


ANALYTICS_FAILURE_TEXTS: Final[Mapping[str, str]] = {
    AnalyticsFailure.INVALID_EVENT: "An event is not valid.",
}
