"""The composition root of the analytics service: makes the parts and wires them."""

from analytics_service.activities.events import EventActivities
from analytics_service.activities.rollup import RollupActivities
from analytics_service.persistence.count_book import SqlCountBook
from analytics_service.persistence.count_reader import SqlCountReader
from analytics_service.persistence.event_log import SqlEventLog
from analytics_service.settings import AnalyticsSettings
from analytics_service.views import views
from analytics_service.workflows.event_intake import EventIntakeWorkflow
from analytics_service.workflows.rollup import RollupWorkflow
from platform_runtime.service_process import Registrations, Resources


async def build(resources: Resources[AnalyticsSettings]) -> Registrations:
    """Return what the analytics service's worker runs and shows."""
    events = EventActivities(SqlEventLog(resources.database))
    rollups = RollupActivities(SqlCountBook(resources.database))
    return Registrations(
        workflows=[EventIntakeWorkflow, RollupWorkflow],
        activities=[events.record_events, rollups.roll_up],
        views=views(counts=SqlCountReader(resources.database), token=resources.service_token),
    )
