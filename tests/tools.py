"""Programs that some tests need and Python cannot bring: found here, or the test says how to install them."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest


@dataclass(frozen=True, kw_only=True)
class Tool:
    """A program, where else than on the PATH it may be, and how it gets onto a machine."""

    program: str
    elsewhere: tuple[str, ...] = ()
    install: str


TOOLS = {
    "postgresql": Tool(
        program="initdb",
        # Debian keeps the server's programs off the PATH; Homebrew keeps a versioned formula off it.
        elsewhere=(
            "/usr/lib/postgresql/*/bin",
            "/usr/pgsql-*/bin",
            "/opt/homebrew/opt/postgresql*/bin",
            "/usr/local/opt/postgresql*/bin",
        ),
        install="`apt-get install postgresql` (Debian, Ubuntu) or `brew install postgresql@17` (macOS)",
    ),
    "promtool": Tool(
        program="promtool", install="`apt-get install prometheus` (Debian, Ubuntu) or `brew install prometheus` (macOS)"
    ),
    "git": Tool(program="git", install="`apt-get install git` or `brew install git`"),
}


def require(name: str) -> Path:
    """Return the path of a tool's program, or skip the test with the command that installs it.

    With PARTNER_REQUIRE_ALL=1 the test fails instead: nothing may be left out where everything has to be proven.
    """
    tool = TOOLS[name]
    found = find(tool)
    if found is None:
        missing(f"{name} is not on this machine; install it with {tool.install}.")
    return found


def find(tool: Tool) -> Path | None:
    """Return the path of a tool's program, on the PATH or of the newest version elsewhere; None when it is absent."""
    if on_path := shutil.which(tool.program):
        return Path(on_path).resolve()
    candidates = (
        path for pattern in tool.elsewhere for path in Path("/").glob(f"{pattern.removeprefix('/')}/{tool.program}")
    )
    return max(candidates, key=_version, default=None)


def missing(reason: str) -> NoReturn:
    """Skip the test for want of a tool, or fail it where everything is required."""
    if os.environ.get("PARTNER_REQUIRE_ALL") == "1":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def _version(path: Path) -> tuple[int, ...]:
    return tuple(int(digits) for digits in "".join(c if c.isdigit() else " " for c in str(path)).split())
