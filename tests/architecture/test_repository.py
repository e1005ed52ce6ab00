"""What holds for every file in the repository."""

import re
import subprocess
from pathlib import Path

import pytest

from tests import tools
from tests.architecture.members import ROOT

# Put together from halves, so that this file does not name them either.
REGISTRIES = tuple(
    "".join(halves)
    for halves in (
        ("pypi", ".org"),
        ("python", "hosted.org"),
        ("proxy.golang", ".org"),
        ("sum.golang", ".org"),
        ("registry.npm", "js.org"),
        ("deb.debian", ".org"),
        ("archive.ubuntu", ".com"),
    )
)
# A home directory, or the like, of whoever wrote the line.
MACHINE_PATH = re.compile(r"(?<![\w.~$}/-])/(?:home|root|Users|work|workspace|mnt|private)/[\w.-]")
MOST_LINES = 400


def test_no_file_names_a_registry() -> None:
    found = [f"{file}: {host}" for file, text in _tracked_texts() for host in REGISTRIES if host in text]

    assert not found, "a checkout works with any index or mirror only if no file names one"


def test_no_file_names_a_path_of_one_machine() -> None:
    found = [f"{file}: {match.group()}" for file, text in _tracked_texts() for match in MACHINE_PATH.finditer(text)]

    assert not found, "a path of one machine is wrong on every other"


def test_what_is_made_is_not_tracked() -> None:
    tracked = {file.as_posix() for file, _ in _tracked_texts()}

    assert "requirements.lock" in tracked
    assert not tracked & {"uv.lock", ".env"}


def test_python_files_are_short() -> None:
    lines = {file: text.count("\n") for file, text in _tracked_texts() if file.suffix == ".py"}

    assert not {file: count for file, count in lines.items() if count > MOST_LINES}


def test_package_files_are_empty() -> None:
    assert not [file for file, text in _tracked_texts() if file.name == "__init__.py" and text.strip()]


def test_every_package_shows_its_types() -> None:
    packages = [path.parent for path in ROOT.glob("*/*/src/*/__init__.py")] + [ROOT / "gateway/src/platform_gateway"]

    assert not [package for package in packages if not (package / "py.typed").exists()]


def _tracked_texts() -> list[tuple[Path, str]]:
    """Return path and text of every tracked file that is text."""
    git = tools.require("git")
    listed = subprocess.run([git, "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=20)
    if listed.returncode != 0:
        pytest.fail(f"This needs a git checkout: {listed.stderr}", pytrace=False)
    texts: list[tuple[Path, str]] = []
    for name in filter(None, listed.stdout.split("\0")):
        try:
            texts.append((Path(name), (ROOT / name).read_text()))
        except (UnicodeDecodeError, FileNotFoundError):
            # An image, or a file that is being removed.
            continue
    return texts
