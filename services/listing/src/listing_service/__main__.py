"""`python -m listing_service` works; `python -m listing_service prepare` migrates the database, once per deployment."""

from listing_service.settings import ListingSettings
from listing_service.worker import build
from platform_contracts.task_queues import TaskQueue
from platform_runtime.service_process import Service, run_service

SERVICE = Service(
    name="listing",
    task_queue=TaskQueue.LISTING,
    settings_type=ListingSettings,
    migrations="listing_service.persistence.migrations",
    build=build,
)

if __name__ == "__main__":
    run_service(SERVICE)
