"""`python -m user_service` works; `python -m user_service prepare` migrates the database, once per deployment."""

from platform_contracts.task_queues import TaskQueue
from platform_runtime.service_process import Service, run_service
from user_service.settings import UserSettings
from user_service.worker import build

SERVICE = Service(
    name="user",
    task_queue=TaskQueue.USER,
    settings_type=UserSettings,
    migrations="user_service.persistence.migrations",
    build=build,
)

if __name__ == "__main__":
    run_service(SERVICE)
