"""Documents as tests read them: blocks of code, the commands to type, and the answers that are promised.

A block in ```console holds commands, one a line or continued by a backslash; a line that begins with # says what to
expect of the next one. A ```json block after it is the answer of its last command, where … stands for anything.
"""

import asyncio
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from tests import tools

ROOT: Final = Path(__file__).parents[2]

_PATTERNS: Final = ("*.md", "docs/**/*.md", "gateway/*.md", "libs/*/*.md", "services/*/*.md")
_FENCE: Final = "```"
_TRAILING_COMMENT: Final = re.compile(r"\s{2,}#.*$")
_STATUS: Final = re.compile(r"\b[1-5]\d\d\b")

PORTS: Final = {"localhost:8000": "GATEWAY_PORT", "localhost:9464": "USER_INTERNAL_PORT"}
"""Addresses as documents have them, and the variable that moves each port where a test has it."""

COMMAND_WITHIN_SECONDS: Final = 100


@dataclass(frozen=True)
class Block:
    """A fenced block of a document."""

    document: Path
    line: int
    language: str
    text: str
    introduction: str
    """The last line of text before it."""

    @property
    def where(self) -> str:
        """The place, as an editor opens it."""
        return f"{self.document.relative_to(ROOT)}:{self.line}"


@dataclass(frozen=True)
class Command:
    """Something that a document tells its reader to type."""

    text: str
    where: str
    comment: str = ""
    """The line above it that begins with #."""

    @property
    def expected_statuses(self) -> set[int]:
        """The HTTP statuses that the comment names, beside which only success is expected."""
        return {int(status) for status in _STATUS.findall(self.comment)}


@dataclass(frozen=True)
class Answer:
    """What a command printed, and the HTTP status where it was a request."""

    text: str
    status: int | None = None


def documents() -> list[Path]:
    """Return every document of the repository, in the order of their paths, README.md first."""
    found = {path for pattern in _PATTERNS for path in ROOT.glob(pattern)}
    return sorted(found, key=lambda path: (path != ROOT / "README.md", path))


def blocks(document: Path) -> list[Block]:
    """Return the fenced blocks of a document, in order.

    Raises:
        AssertionError: when one is not closed.
    """
    found: list[Block] = []
    introduction = ""
    lines = enumerate(document.read_text().splitlines(), start=1)
    for number, line in lines:
        if line.startswith(_FENCE):
            inside: list[str] = []
            for _, inner in lines:
                if inner == _FENCE:
                    break
                inside.append(inner)
            else:
                raise AssertionError(f"{document}:{number}: this block is not closed")
            text = "".join(f"{each}\n" for each in inside)
            found.append(Block(document, number, line.removeprefix(_FENCE), text, introduction))
        elif line.strip():
            introduction = line
    return found


def commands(block: Block) -> Iterator[Command]:
    """Yield the commands of a console block, each on one line."""
    comment = ""
    joined = block.text.replace("\\\n", " ")
    for line in filter(None, joined.splitlines()):
        if line.startswith("#"):
            comment = line
            continue
        yield Command(_TRAILING_COMMENT.sub("", line), block.where, comment)
        comment = ""


def as_tested(text: str, environment: Mapping[str, str]) -> str:
    """Return a command as a test runs it: by this interpreter, on the ports of the test's own platform.

    `python3 noxfile.py tests …` is what that task runs, pytest with these arguments.
    """
    python = shlex.quote(sys.executable)
    replacements = {
        "python3 noxfile.py tests ": f"{python} -m pytest -q ",
        ".venv/bin/partner ": f"{python} -m platform_cli ",
        "python -m ": f"{python} -m ",
    }
    for shown, tested in replacements.items():
        if text.startswith(shown):
            text = tested + text.removeprefix(shown)
            break
    for address, variable in PORTS.items():
        text = text.replace(address, f"127.0.0.1:{environment[variable]}")
    return text


async def run(
    text: str, *, environment: Mapping[str, str], directory: Path = ROOT, within_seconds: float = COMMAND_WITHIN_SECONDS
) -> Answer:
    """Run a command of a shell; it has to exit with 0 in time.

    A curl command is bounded and told to print the status, which says more than its exit code.

    Raises:
        AssertionError: with what it printed, when it exits with another code or takes too long.
    """
    is_request = text.startswith("curl ")
    if is_request:
        if shutil.which("curl") is None:
            tools.missing("curl is not on this machine; install it with `apt-get install curl` or `brew install curl`.")
        text += " --silent --show-error --max-time 40 --write-out '\\n%{http_code}'"
    process = await asyncio.create_subprocess_shell(
        text,
        env=dict(environment),
        cwd=directory,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        printed, _ = await asyncio.wait_for(process.communicate(), within_seconds)
    except TimeoutError:
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        raise AssertionError(f"took more than {within_seconds} s: {text}") from None
    output = printed.decode()
    assert process.returncode == 0, f"exited with {process.returncode}: {text}\n{output}"
    if not is_request:
        return Answer(output)
    body, _, status = output.rpartition("\n")
    return Answer(body, int(status))


def is_as_shown(shown: Any, answered: Any) -> bool:
    """Say whether an answer is the one that a document shows: the same members, and values that fit."""
    if isinstance(shown, dict):
        members = cast("dict[str, Any]", shown)
        return (
            isinstance(answered, dict)
            and members.keys() == cast("dict[str, Any]", answered).keys()
            and all(is_as_shown(value, answered[name]) for name, value in members.items())
        )
    if isinstance(shown, str):
        pattern = ".*".join(re.escape(part) for part in shown.split("…"))
        return isinstance(answered, str) and re.fullmatch(pattern, answered) is not None
    return shown == answered


def assert_as_shown(block: Block, answer: Answer | None) -> None:
    """Compare a ```json block with the answer of the command above it."""
    assert answer is not None, f"{block.where}: there is no command above this answer"
    shown, answered = json.loads(block.text), json.loads(answer.text)

    assert is_as_shown(shown, answered), f"{block.where} shows another answer than\n{json.dumps(answered, indent=2)}"
