"""`partner logs`: what a process has written."""

import time
from pathlib import Path

from platform_cli.errors import StackError
from platform_cli.settings import stack_settings
from platform_cli.stack.home import Home
from platform_cli.stack.supervised_process import last_lines

_POLL_SECONDS = 0.2


def logs(name: str, *, lines: int, follow: bool) -> None:
    """Print the last lines of a process's log, or of all instances of a service.

    Raises:
        StackError: there is no such log; the text names those that are there.
    """
    home = Home(stack_settings().partner_home)
    files = _files(home, name)
    for file in files:
        if len(files) > 1:
            print(f"==> {file.stem} <==")
        for line in last_lines(file, lines):
            print(line)
    if follow:
        _follow(files)


def _files(home: Home, name: str) -> list[Path]:
    there = sorted(home.logs.glob("*.log"))
    # An instance is named after its service; a name with a dash means that one process.
    found = [file for file in there if file.stem == name] or [
        file for file in there if file.stem.removeprefix(f"{name}-").isdecimal()
    ]
    if not found:
        names = ", ".join(file.stem for file in there) or "none yet: start the stack with `partner up`"
        raise StackError(f"there is no log of {name!r}; there are: {names}")
    return found


def _follow(files: list[Path]) -> None:
    """Print what is appended, until Ctrl-C; a log that starts anew is followed from its new start."""
    positions = {file: file.stat().st_size for file in files}
    while True:
        for file, position in positions.items():
            size = file.stat().st_size if file.exists() else 0
            if size < position:
                positions[file] = 0
            elif size > position:
                with file.open("rb") as opened:
                    opened.seek(position)
                    print(opened.read().decode(errors="replace"), end="", flush=True)
                    positions[file] = opened.tell()
        time.sleep(_POLL_SECONDS)
