"""`partner demo`: the main job, from nothing to a readable account of it."""

import sys

from platform_cli.demo.demo import run_demo
from platform_cli.settings import stack_settings
from platform_cli.stack.report import console_for


def demo(*, keep: bool) -> None:
    """Run the demo.

    Raises:
        StackError: the platform did not come up.
        SystemExit: with 1 when something was not as expected.
    """
    console = console_for()
    if run_demo(stack_settings(), console, keep=keep):
        console.print("\nEverything was as expected.")
        return
    console.print("\n[red]Not everything was as expected[/red]: see the lines marked no.")
    sys.exit(1)
