"""`partner worker`: one worker of a service in the foreground, plain or started again on every change of its code."""

import os
import subprocess
import sys
from dataclasses import replace

from platform_cli.errors import StackError
from platform_cli.services import MAXIMUM_INSTANCES, Service
from platform_cli.settings import StackSettings, stack_settings
from platform_cli.stack.backends import Backend
from platform_cli.stack.home import Home
from platform_cli.stack.local_stack import LocalStack
from platform_cli.stack.plan import Plan, process_environment
from platform_cli.stack.process_spec import ProcessSpec

_NO_CLASH = "its internal ports are all taken: end other workers of it first"


def run_worker(service: Service, *, reload: bool) -> None:
    """Migrate the service's database, then run its worker in place of this process, or under the reloader.

    Raises:
        StackError: no internal port is free, or the preparation failed.
    """
    settings = stack_settings()
    home = Home(settings.partner_home)
    home.create()
    plan = _plan(settings, home)
    _tell_about_others(service, settings, reload=reload)
    worker = _worker_with_a_free_port(plan, service)
    prepare = plan.prepare(service)
    if reload:
        from platform_cli.commands.reloading_worker import keep_current  # noqa: PLC0415

        keep_current(service, prepare=prepare, worker=worker)
        return
    if subprocess.run(prepare.command, env=dict(prepare.environment), check=False).returncode != 0:
        raise StackError(f"`python -m {service.module} prepare` failed, see above")
    sys.stdout.flush()
    # In the place of this process: signals and the exit code are the worker's own.
    os.execvpe(worker.command[0], worker.command, dict(worker.environment))  # noqa: S606 - no shell is wanted


def _plan(settings: StackSettings, home: Home) -> Plan:
    """Return a plan with nothing in it to start, for the environment of our own processes."""
    smtp = settings.user_smtp_url or f"smtp://localhost:{settings.mailpit_smtp_port}"
    otlp = settings.otel_exporter_otlp_endpoint or f"http://localhost:{settings.jaeger_otlp_grpc_port}"
    environment = {
        "USER_SMTP_URL": smtp,
        "OTEL_EXPORTER_OTLP_ENDPOINT": otlp,
        "PAYMENT_ACQUIRER_URL": settings.acquirer_url,
    }
    known = Backend(name="known", where="", environment=environment)
    return Plan(
        settings=settings,
        home=home,
        backends=(known,),
        environment=process_environment(settings, home, (known,)),
        workers={},
    )


def _worker_with_a_free_port(plan: Plan, service: Service) -> ProcessSpec:
    for instance in range(1, MAXIMUM_INSTANCES + 1):
        spec = plan.worker(service, instance)
        if all(use.address.is_free() for use in spec.ports):
            return replace(spec, name=service.name)
    raise StackError(f"the worker of {service.name} cannot start: {_NO_CLASH}")


def _tell_about_others(service: Service, settings: StackSettings, *, reload: bool) -> None:
    stack = LocalStack(settings)
    if not stack.is_running:
        return
    others = [each.name for each in stack.status().processes if each.name.startswith(f"{service.name}-")]
    if others:
        how = "with the code of its start" if reload else "which shares the work"
        print(
            f"The stack runs {' and '.join(others)} too, {how}: `partner scale {service.name}=0` leaves the queue to "
            "this worker alone.",
            file=sys.stderr,
        )
