"""Runs a command that will not outlive the process that started it.

    python -I -S die_with_parent.py PARENT_PID COMMAND [ARGUMENT ...]

On Linux the kernel is asked to kill the command when its parent dies, even by SIGKILL; elsewhere the command simply
runs. It is a program of its own, and not a function between fork and exec, because Python code at that point can
deadlock in a process that has threads. It imports nothing of the project: it must start in milliseconds.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Ask the kernel, then become the command."""
    parent_pid, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        # SIGKILL and not SIGTERM: without a supervisor nobody is left who would follow up on a polite request.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent_pid:
            # The parent died before the request was made, so the kernel will never send the signal.
            sys.exit(1)
    os.execvp(command[0], command)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main()
