"""What a person sees while a tool is fetched or built: a spinner on a terminal, plain lines elsewhere."""

import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape

_PLAIN_LINE_EVERY_SECONDS = 20
_DETAIL_WIDTH = 70


@contextmanager
def showing(task: str) -> Generator[Callable[[str], None]]:
    """Show that `task` is under way until the block ends; call the given function with what happens right now."""
    # Standard error, so that the output of a command stays clean for whoever parses it.
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    start = time.monotonic()
    latest = ""

    def report(detail: str) -> None:
        nonlocal latest
        latest = detail.strip()[:_DETAIL_WIDTH]

    def text() -> str:
        elapsed = f"{time.monotonic() - start:.0f} s"
        return escape(f"{task} ({elapsed})  {latest}".rstrip())

    done = threading.Event()

    def tick() -> None:
        if console.is_terminal:
            with console.status(text()) as status:
                while not done.wait(0.25):
                    status.update(text())
        else:
            console.print(f"{escape(task)} …")
            while not done.wait(_PLAIN_LINE_EVERY_SECONDS):
                console.print(text())

    shower = threading.Thread(target=tick, name="progress", daemon=True)
    shower.start()
    outcome = "gave up"
    try:
        yield report
        outcome = "done"
    finally:
        done.set()
        shower.join(timeout=2)
        console.print(f"{escape(task)}: {outcome} after {time.monotonic() - start:.1f} s")
