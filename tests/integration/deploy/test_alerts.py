"""Prometheus's own tool checks its configuration and lets the alerts run against made-up hours."""

import re
import subprocess
from typing import Any

import pytest
import yaml

from platform_cli.services import SERVICES, Service
from tests import tools
from tests.architecture.members import ROOT

PROMETHEUS = ROOT / "deploy/prometheus"
RULES: list[dict[str, Any]] = [
    rule for group in yaml.safe_load((PROMETHEUS / "alerts.yaml").read_text())["groups"] for rule in group["rules"]
]
TESTED: dict[str, Any] = yaml.safe_load((PROMETHEUS / "alerts_test.yaml").read_text())

each_alert = pytest.mark.parametrize("alert", RULES, ids=lambda rule: rule["alert"])


def test_prometheus_accepts_its_configuration() -> None:
    checked = _promtool("check", "config", "prometheus.yaml")

    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_alerts_fire_when_they_should_and_only_then() -> None:
    tested = _promtool("test", "rules", "alerts_test.yaml")

    assert tested.returncode == 0, tested.stdout + tested.stderr


@each_alert
def test_alert_is_tested_in_both_directions(alert: dict[str, Any]) -> None:
    cases = [
        case
        for test in TESTED["tests"]
        for case in test.get("alert_rule_test", [])
        if case["alertname"] == alert["alert"]
    ]

    assert [case for case in cases if case["exp_alerts"]]
    assert [case for case in cases if not case["exp_alerts"]] or alert["expr"] == "up == 0"


@each_alert
def test_alert_says_how_urgent_it_is_and_what_to_do(alert: dict[str, Any]) -> None:
    annotations = alert["annotations"]

    assert alert["labels"]["severity"] in {"page", "ticket"}
    assert annotations["summary"]
    assert annotations["description"]
    assert alert["alert"] in (ROOT / annotations["runbook"]).read_text()


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_queue_without_workers_is_noticed_for_every_service(service: Service) -> None:
    (rule,) = (rule for rule in RULES if rule["alert"] == "NobodyPolls")

    assert f'absent(up{{job="{service.name}"}})' in rule["expr"]
    named = re.search(r'job=~"([^"]+)"', rule["expr"])
    assert named is not None
    assert service.name in named[1].split("|")


def _promtool(*arguments: str) -> "subprocess.CompletedProcess[str]":
    promtool = tools.require("promtool")
    return subprocess.run(
        [str(promtool), *arguments], cwd=PROMETHEUS, capture_output=True, text=True, timeout=30, check=False
    )
