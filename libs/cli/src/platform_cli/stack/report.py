"""How the state of a stack is shown to a person."""

import time

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from platform_cli.stack.status import ProcessStatus, StackStatus
from platform_cli.stack.supervised_process import State

_COLOURS = {State.READY: "green", State.STARTING: "yellow", State.RESTARTING: "yellow", State.FAILED: "red"}
_PIPED_WIDTH = 200


class ConsoleReporter:
    """Prints one line per event, and the whole table when everything is ready."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def event(self, name: str, text: str, lines: list[str]) -> None:
        """Print an event and, indented, the lines of a log that belong to it."""
        self._console.print(f"[dim]{time.strftime('%H:%M:%S')}[/dim]  [bold]{escape(name)}[/bold] {escape(text)}")
        for line in lines:
            self._console.print(f"    {escape(line)}")

    def up(self, status: StackStatus) -> None:
        """Print everything that runs and where it is."""
        print_status(self._console, status)
        self._console.print("Everything is ready. Ctrl-C stops it; what happens is told below.")


def console_for(*, stderr: bool = False) -> Console:
    """Return a console that breaks no line and cuts no table where it is piped."""
    console = Console(stderr=stderr, highlight=False, soft_wrap=True)
    if not console.is_terminal:
        console.width = _PIPED_WIDTH
    return console


def print_status(console: Console, status: StackStatus) -> None:
    """Print the table of processes, then the URLs."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("process", "state", "pid", "where"):
        table.add_column(heading, no_wrap=True)
    for process in status.processes:
        colour = "red" if process.problem else _COLOURS.get(process.state, "dim")
        pid = "" if process.pid is None else str(process.pid)
        table.add_row(process.name, f"[{colour}]{_state(process)}[/{colour}]", pid, escape(process.where))
    for used in status.used:
        table.add_row(used.name, "[green]used[/green]", "", f"{escape(used.where)} (not started by this stack)")
    console.print(table)
    for process in status.processes:
        if process.problem:
            console.print(f"[red]{process.name} is not ready[/red]: {escape(process.problem)}")
        elif process.state is State.FAILED:
            console.print(f"[red]{process.name} gave up[/red]: see {escape(process.log)}")
    if status.urls:
        console.print()
        names = {"gateway": "Gateway", "api": "API", "temporal": "Temporal", "traces": "Traces", "mail": "Mail"}
        for name, url in status.urls.items():
            console.print(f"{names.get(name, name):<10}{url}")


def _state(process: ProcessStatus) -> str:
    state = "not ready" if process.problem else str(process.state)
    return f"{state}, restarted {process.restarts}x" if process.restarts else state
