"""The commands of `partner` and their options; what they do lives in modules of its own."""

from typing import Annotated

import typer

from platform_cli.commands.keys_app import keys_app
from platform_cli.services import parse_workers, service_named

app = typer.Typer(
    name="partner",
    help="The partner platform on your machine: start it, look at it, work on it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(keys_app)

Workers = Annotated[
    list[str],
    typer.Option("--workers", metavar="SERVICE=N", help="How many workers of a service: user=2. May be repeated."),
]


@app.command()
def up(
    *,
    workers: Workers = [],  # noqa: B006 - typer reads it and nobody changes it
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Return when everything is ready.")] = False,
) -> None:
    """Start Temporal, the trace and mail pages, every worker and the gateway; Ctrl-C or `partner down` stops them."""
    from platform_cli.commands import up as command  # noqa: PLC0415

    command.up(parse_workers(workers), detach=detach)


@app.command()
def down() -> None:
    """Stop what `partner up` started, last started first."""
    from platform_cli.commands import running_stack  # noqa: PLC0415

    running_stack.down()


@app.command()
def status() -> None:
    """Show what runs and where it is. Exit code 1 if anything is not ready."""
    from platform_cli.commands import running_stack  # noqa: PLC0415

    running_stack.status()


@app.command()
def scale(workers: Annotated[list[str], typer.Argument(metavar="SERVICE=N...", help="user=2 analytics=3")]) -> None:
    """Change how many workers of a service run; returns when they are ready."""
    from platform_cli.commands import running_stack  # noqa: PLC0415

    running_stack.scale(parse_workers(workers))


@app.command()
def logs(
    name: Annotated[str, typer.Argument(help="A process as `partner status` names it, or `supervisor`, or a service.")],
    *,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="How many of the last lines.")] = 50,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what is written from now on.")] = False,
) -> None:
    """Show the log of a process."""
    from platform_cli.commands import logs as command  # noqa: PLC0415

    command.logs(name, lines=lines, follow=follow)


@app.command()
def worker(
    service: Annotated[str, typer.Argument(help="user, analytics, ...")],
    *,
    reload: Annotated[bool, typer.Option("--reload", help="Start it again whenever its code changes.")] = False,
) -> None:
    """Run one worker of a service in the foreground, with the settings of the local stack."""
    from platform_cli.commands import worker as command  # noqa: PLC0415

    command.run_worker(service_named(service), reload=reload)


@app.command()
def demo(
    *,
    keep: Annotated[bool, typer.Option("--keep", help="Leave running what the demo has started.")] = False,
) -> None:
    """Onboard a user, notify them, count it, and show what happened. Starts the stack, and stops it, if none runs."""
    from platform_cli.commands import demo as command  # noqa: PLC0415

    command.demo(keep=keep)


@app.command()
def trace(trace_id: Annotated[str, typer.Argument(help="32 hex digits, as a status or a log line has it.")]) -> None:
    """Show a trace as a tree of spans, read back from Jaeger."""
    from platform_cli.commands import trace as command  # noqa: PLC0415

    command.trace(trace_id)


@app.command()
def doctor() -> None:
    """Say what is missing, not listening, or polled by nobody, and what to do about it. Exit code 1 if there is any."""
    from platform_cli.commands import doctor as command  # noqa: PLC0415

    command.doctor()
