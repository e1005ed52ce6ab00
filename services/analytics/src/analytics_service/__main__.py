"""`python -m analytics_service` works; `… prepare` makes database and schedules ready, once per deployment."""

from analytics_service.schedules import ensure_schedules
from analytics_service.settings import AnalyticsSettings
from analytics_service.worker import build
from platform_contracts.task_queues import TaskQueue
from platform_runtime.service_process import Service, run_service

SERVICE = Service(
    name="analytics",
    task_queue=TaskQueue.ANALYTICS,
    settings_type=AnalyticsSettings,
    migrations="analytics_service.persistence.migrations",
    build=build,
    ensure_schedules=ensure_schedules,
)

if __name__ == "__main__":
    run_service(SERVICE)
