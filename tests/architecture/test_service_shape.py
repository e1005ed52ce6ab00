"""Every service has the same files: who knows one of them finds the way in all."""

from pathlib import Path

import pytest

from tests.architecture.members import ROOT, SERVICES, Member

REQUIRED = {
    "__main__.py",
    "worker.py",
    "settings.py",
    "views.py",
    "ports.py",
    "workflows/",
    "activities/",
    "activities/failures.py",
    "domain/",
    "persistence/",
    "persistence/tables.py",
    "persistence/migrations/",
}
ONLY_WHERE_NEEDED = {"schedules.py", "tools.py", "providers/", "metrics.py", "reconciliation_ports.py"}
ALWAYS = {"__init__.py", "py.typed"}

each_service = pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.package)


@each_service
def test_service_has_what_every_service_has(service: Member) -> None:
    missing = {name for name in REQUIRED if not (service.source / name).exists()}

    assert not missing


@each_service
def test_service_has_nothing_that_no_other_has(service: Member) -> None:
    there = {f"{path.name}/" if path.is_dir() else path.name for path in service.source.iterdir()} - {"__pycache__/"}

    assert there - REQUIRED - ONLY_WHERE_NEEDED == ALWAYS


@each_service
def test_each_workflow_stands_in_a_file_named_like_its_contract(service: Member) -> None:
    domain = service.package.removesuffix("_service")
    contracts = _module_names(ROOT / "libs/contracts/src/platform_contracts" / domain)
    workflows = _module_names(service.source / "workflows") - {"patches"}

    assert workflows
    # A long one may keep a part of itself beside it: purchase_tail.py belongs to purchase.py.
    assert {name for name in workflows if not any(name.startswith(f"{each}_") for each in contracts)} <= contracts


@each_service
def test_main_can_be_read_at_a_glance(service: Member) -> None:
    lines = (service.source / "__main__.py").read_text().count("\n")

    assert lines <= 40  # it hands over to the runtime; what it would do beyond that is done for every service there


def _module_names(package: Path) -> set[str]:
    return {path.stem for path in package.glob("*.py")} - {"__init__"}
