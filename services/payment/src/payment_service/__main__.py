"""`python -m payment_service` works; `… prepare` makes database and schedules ready, once per deployment."""

from payment_service.schedules import ensure_schedules
from payment_service.settings import PaymentSettings
from payment_service.tools import APPEND_ONLY, ledger
from payment_service.worker import build
from platform_contracts.task_queues import TaskQueue
from platform_runtime.service_process import Service, run_service

SERVICE = Service(
    name="payment",
    task_queue=TaskQueue.PAYMENT,
    settings_type=PaymentSettings,
    migrations="payment_service.persistence.migrations",
    append_only=APPEND_ONLY,
    build=build,
    tools={"ledger": ledger},
    ensure_schedules=ensure_schedules,
)

if __name__ == "__main__":
    run_service(SERVICE)
