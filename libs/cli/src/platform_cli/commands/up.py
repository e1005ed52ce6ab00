"""`partner up`: the stack in the foreground, or in the background until `partner down`."""

from collections.abc import Mapping

from platform_cli.settings import stack_settings
from platform_cli.stack.local_stack import LocalStack
from platform_cli.stack.plan import refuse_task_queue
from platform_cli.stack.report import ConsoleReporter, console_for, print_status


def up(workers: Mapping[str, int], *, detach: bool) -> None:
    """Bring the stack up; in the foreground this returns when the stack has been stopped.

    Raises:
        StackError: what is in the way, or did not become ready.
    """
    settings = stack_settings()
    refuse_task_queue(settings)
    console = console_for()
    if not detach:
        # Imported late: it is the only command that needs all of the supervisor.
        from platform_cli.stack.runner import run_stack  # noqa: PLC0415

        run_stack(settings, workers, ConsoleReporter(console))
        return
    stack = LocalStack(settings)
    status = stack.ensure_running(workers, on_ready=lambda name: console.print(f"{name} is ready"))
    print_status(console, status)
    if stack.started:
        console.print("\nEverything is ready. `partner status` shows it again, `partner down` stops it.")
        return
    console.print("\nIt was running already.")
    running = {name: sum(each.name.startswith(f"{name}-") for each in status.processes) for name in workers}
    if running != dict(workers):
        wanted = " ".join(f"{name}={count}" for name, count in workers.items())
        console.print(f"Its number of workers was left alone: `partner scale {wanted}` changes it.")
