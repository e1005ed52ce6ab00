"""The image holds what runs, and nothing that only checks or builds."""

import re
import subprocess
import sys

from packaging.utils import canonicalize_name

from tests.architecture.members import BY_NAME, MEMBERS, ROOT

IN_THE_IMAGE = [member for member in MEMBERS if member.name != "platform-cli"]


def test_image_gets_everything_that_the_members_in_it_ask_for() -> None:
    asked_for = {
        canonicalize_name(need.name)
        for member in IN_THE_IMAGE
        for need in [*member.requirements, *(need for needs in member.extras.values() for need in needs)]
    } - set(BY_NAME)
    locked = _names((ROOT / "requirements.lock").read_text())

    chosen = _names(_requirements_of(*(member.name for member in IN_THE_IMAGE)))

    # What no member has asked for when the lock was made is told by the test of the lock.
    assert asked_for & locked <= chosen
    assert {"temporalio", "psycopg-binary", "grpcio"} <= chosen


def test_image_gets_nothing_that_only_checks_or_builds() -> None:
    chosen = _names(_requirements_of(*(member.name for member in IN_THE_IMAGE)))

    assert not chosen & {"pytest", "ruff", "basedpyright", "nox", "uv", "hatchling", "hypothesis", "typer"}


def test_every_requirement_keeps_its_hashes() -> None:
    entries = re.split(r"^(?=[a-z0-9])", _requirements_of("hatchling"), flags=re.MULTILINE)[1:]

    assert "hatchling" in {entry.partition("==")[0] for entry in entries}
    assert not [entry for entry in entries if "--hash=sha256:" not in entry]


def _requirements_of(*packages: str) -> str:
    script = str(ROOT / "deploy/image/requirements_of.py")
    command = [sys.executable, script, str(ROOT / "requirements.lock"), *packages]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout


def _names(lock: str) -> set[str]:
    return {canonicalize_name(name) for name in re.findall(r"^([\w.-]+)==", lock, re.MULTILINE)}
