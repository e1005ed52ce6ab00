"""docs/how-to/add-a-workflow.md, followed to the letter in a copy of the repository."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import tools
from tests.architecture.members import MEMBERS
from tests.support.documents import ROOT, Answer, Block, as_tested, assert_as_shown, blocks, commands, run
from tests.support.platform import own_environment, run_partner

GUIDE = ROOT / "docs" / "how-to" / "add-a-workflow.md"

NOT_HERE = {
    "python3 noxfile.py setup": "the interpreter that runs this has everything",
}
INSTEAD = {
    # What the task runs, without the histories of other services: they are neither new nor changed.
    "python3 noxfile.py regenerate": "python -m pytest -q tests/contracts tests/replay --regenerate",
}


@dataclass(frozen=True)
class Scratch:
    """A copy of the repository that wins over the one under test."""

    directory: Path
    environment: Mapping[str, str]

    async def run(self, text: str) -> Answer:
        """Run a command in the copy."""
        return await run(as_tested(text, self.environment), environment=self.environment, directory=self.directory)

    def git(self, *arguments: str, text: str | None = None) -> str:
        """Run git in the copy."""
        command = [str(tools.require("git")), *arguments]
        finished = subprocess.run(
            command, cwd=self.directory, input=text, capture_output=True, text=True, check=False, timeout=20
        )
        assert finished.returncode == 0, f"git {' '.join(arguments)}: {finished.stderr}\n{text or ''}"
        return finished.stdout

    def changed_python_files(self) -> list[str]:
        """Return every Python file that is new or changed in the copy."""
        listed = self.git("status", "--porcelain", "--untracked-files=all").splitlines()
        return [line[3:] for line in listed if line.endswith(".py")]


@pytest.fixture
def scratch(tmp_path: Path, local_stack_tools: None) -> Scratch:
    """Copy what git knows, or would take, and put it first on the path of every process."""
    directory = tmp_path / "copy"
    listed = subprocess.run(
        [tools.require("git"), "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=20,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (directory / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, directory / name)
    sources = [str(directory / member.source.parent.relative_to(ROOT)) for member in MEMBERS]
    environment = own_environment(tmp_path / "home") | {"PYTHONPATH": os.pathsep.join(sources)}
    for variable in [name for name in environment if name.startswith("PYTEST_")]:
        del environment[variable]
    scratch = Scratch(directory, environment)
    scratch.git("init", "--quiet")
    scratch.git("add", "--all")
    scratch.git("-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "--quiet", "--message", "before")
    return scratch


@pytest.mark.timeout(240)
async def test_guide_leads_to_a_workflow_that_answers_over_rest(scratch: Scratch) -> None:
    assert await _packages(scratch) == {member.package: str(scratch.directory) for member in MEMBERS}

    try:
        answer: Answer | None = None
        for block in blocks(GUIDE):
            answer = await _follow(scratch, block, answer)
    finally:
        await run_partner(scratch.environment, "down")

    for check in _checks(scratch):
        await scratch.run(check)


async def _follow(scratch: Scratch, block: Block, answer: Answer | None) -> Answer | None:
    """Do what a block says, and return the last answer."""
    if block.language == "python":
        _write(scratch, block)
    elif block.language == "diff":
        scratch.git("apply", "-", text=block.text)
    elif block.language == "json":
        assert_as_shown(block, answer)
        assert answer is not None
        shown = json.loads(block.text)["status"]
        assert answer.status == (shown if isinstance(shown, int) else 200)
    else:
        assert block.language == "console", f"{block.where}: nothing is known of {block.language!r}"
        for command in commands(block):
            if command.text not in NOT_HERE:
                answer = await scratch.run(INSTEAD.get(command.text, command.text))
    return answer


def _write(scratch: Scratch, block: Block) -> None:
    named = re.fullmatch(r"In `([\w/.-]+)`:", block.introduction)
    assert named, f"{block.where}: a line above has to say where it goes: In `path`:"
    path = scratch.directory / named[1]
    assert not path.exists(), f"{block.where}: {named[1]} is there already"
    path.write_text(block.text)


async def _packages(scratch: Scratch) -> dict[str, str]:
    """Return from which copy of the repository each of our packages is imported."""
    names = ", ".join(member.package for member in MEMBERS)
    code = f"import {names}; print({names})"
    printed = await scratch.run(shlex.join([sys.executable, "-c", code]))
    places = re.findall(r"<module '(\w+)' from '([^']+)'>", printed.text)
    roots = [str(scratch.directory), str(ROOT)]
    return {name: next(root for root in roots if path.startswith(f"{root}/")) for name, path in places}


def _checks(scratch: Scratch) -> Iterator[str]:
    """Yield what `python3 noxfile.py lint` would say of what the guide has made."""
    changed = scratch.changed_python_files()
    files = " ".join(changed)
    yield f"python -m ruff check --no-cache {files}"
    yield f"python -m ruff format --no-cache --check {files}"
    tools_beside_python = Path(sys.executable).parent
    yield f"{tools_beside_python / 'lint-imports'} --no-cache"
    own = [str(member.source.parent.relative_to(ROOT)) for member in MEMBERS]
    settings = {"typeCheckingMode": "strict", "reportMissingTypeStubs": "none", "include": changed}
    (scratch.directory / "pyrightconfig.json").write_text(json.dumps({**settings, "extraPaths": [".", *own]}))
    yield f"{tools_beside_python / 'basedpyright'} --pythonpath {sys.executable} --level error"
