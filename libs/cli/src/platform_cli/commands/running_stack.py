"""Commands for a stack that runs: `partner down`, `status` and `scale`."""

import sys
from collections.abc import Mapping

from platform_cli.settings import stack_settings
from platform_cli.stack.local_stack import LocalStack
from platform_cli.stack.report import console_for, print_status


def down() -> None:
    """Stop the stack; one that does not run is fine.

    Raises:
        StackError: it did not end in time.
    """
    stack = LocalStack(stack_settings())
    if stack.stop():
        print("Everything is stopped; the data stays in", stack.home.data)
    else:
        print("Nothing to stop: no stack of", stack.home.directory, "is running.")


def status() -> None:
    """Show the stack.

    Raises:
        StackError: none runs.
        SystemExit: with 1 when something is not ready.
    """
    found = LocalStack(stack_settings()).status()
    print_status(console_for(), found)
    if not found.is_ready:
        sys.exit(1)


def scale(workers: Mapping[str, int]) -> None:
    """Change the number of workers.

    Raises:
        StackError: no stack runs, or a worker did not become ready.
    """
    print_status(console_for(), LocalStack(stack_settings()).scale(workers))
