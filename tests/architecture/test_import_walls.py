"""Who may import whom: the walls stand, and each of them would be noticed if it were broken."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.architecture.members import MEMBERS, ROOT, SERVICES

LINT_IMPORTS = Path(sys.executable).with_name("lint-imports")

# Ways through the walls: the file that is wrong, what it should not have said, and the rule that notices.
BREAKS = {
    "a service imports its sister": (
        "user_service/domain/sister.py",
        "import analytics_service",
        "independence",
    ),
    "the gateway imports a service": (
        "platform_gateway/shortcut.py",
        "import user_service",
        "independence",
    ),
    "contracts import the runtime": (
        "platform_contracts/shortcut.py",
        "import platform_runtime.settings",
        "libraries",
    ),
    "a port imports an activity": (
        "user_service/ports.py",
        "import user_service.activities.shortcut",
        "layers",
    ),
    "a file has no place in the layers": (
        "analytics_service/helpers.py",
        "",
        "layers",
    ),
    "an operation of the gateway asks a route": (
        "platform_gateway/operations/status.py",
        "import platform_gateway.routes.shared",
        "gateway",
    ),
    "a file of the gateway has no place": (
        "platform_gateway/helpers.py",
        "",
        "gateway",
    ),
    "a workflow reaches a driver through an activity": (
        "user_service/activities/shortcut.py",
        "import sqlalchemy",
        "workflows",
    ),
    "the domain knows Temporal": (
        "analytics_service/domain/shortcut.py",
        "import temporalio",
        "domain",
    ),
    "a view builds a repository": (
        "user_service/views.py",
        "import user_service.persistence.shortcut",
        "adapters",
    ),
}


def test_nobody_imports_through_a_wall() -> None:
    checked = _lint_imports(ROOT)

    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize(("file", "line", "wall"), BREAKS.values(), ids=BREAKS)
def test_hole_in_a_wall_is_noticed(file: str, line: str, wall: str, tmp_path: Path) -> None:
    _copy_sources(tmp_path)
    with (tmp_path / file).open("a") as broken:
        broken.write(f"\n{line}\n")

    checked = _lint_imports(tmp_path, "--contract", wall, PYTHONPATH=str(tmp_path))

    assert checked.returncode == 1, checked.stdout + checked.stderr
    assert Path(file).stem in checked.stdout.partition("Broken contracts")[2]


def test_every_member_is_behind_the_walls() -> None:
    rules = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    contracts = {contract["id"]: contract for contract in rules["contracts"]}
    services = {member.package for member in SERVICES}

    assert set(rules["root_packages"]) == {member.package for member in MEMBERS}
    assert set(contracts["layers"]["containers"]) == services
    apart = {"platform_gateway", "platform_cli", "platform_sandbox"}
    assert set(contracts["independence"]["modules"]) == services | apart
    assert {name.strip() for name in contracts["libraries"]["layers"][0].split("|")} == set(
        contracts["independence"]["modules"]
    )


def _copy_sources(destination: Path) -> None:
    """Copy every package, and add the modules that the breaks lean on, as far as no service has them."""
    shutil.copy(ROOT / "pyproject.toml", destination)
    for member in MEMBERS:
        shutil.copytree(member.source, destination / member.package, ignore=shutil.ignore_patterns("__pycache__"))
    for service in SERVICES:
        for package in ("activities", "persistence", "domain", "workflows"):
            directory = destination / service.package / package
            directory.mkdir(exist_ok=True)
            (directory / "__init__.py").touch()
            (directory / "shortcut.py").touch()
    (destination / "user_service" / "workflows" / "shortcut.py").write_text("import user_service.activities.shortcut\n")


def _lint_imports(directory: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(LINT_IMPORTS), "--no-cache", "--no-logo", *options],
        cwd=directory,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
