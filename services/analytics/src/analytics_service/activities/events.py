"""Activities that keep events."""

from datetime import UTC, datetime

from temporalio import activity

from analytics_service.activities.failures import translated
from analytics_service.domain.events import check_event
from analytics_service.ports import EventLog
from platform_contracts.analytics.record_events import RECORD_EVENTS, RecordEventsRequest, RecordEventsResult


class EventActivities:
    """What is done with events."""

    def __init__(self, event_log: EventLog) -> None:
        """Keep the events in the log."""
        self._event_log = event_log

    @activity.defn(name=RECORD_EVENTS.name)
    async def record_events(self, request: RecordEventsRequest) -> RecordEventsResult:
        """Record the events, all of them or none, in one transaction.

        A repeat is safe: an event is known by its tenant and its id, and one that is known already is a duplicate that
        changes nothing. That goes for other content under a known id too: the first report stays. The id is derived
        from the business thing, so other content says that a reporter is wrong, and no later report can tell which.

        Raises:
            ApplicationError: of type `AnalyticsFailure.INVALID_EVENT`, when one of them can never be recorded.
        """
        now = datetime.now(UTC)
        with translated():
            for event in request.events:
                check_event(event, now=now)
        recorded = await self._event_log.record(request.events, received_at=now)
        return RecordEventsResult(recorded=recorded, duplicates=len(request.events) - recorded)
