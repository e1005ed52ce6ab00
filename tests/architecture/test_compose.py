"""compose.yaml runs the whole platform, and gives nothing away."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from platform_cli.services import SERVICES, Service
from tests.architecture.members import MEMBERS, ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
PROMETHEUS: dict[str, Any] = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yaml").read_text())
CONTAINERS: dict[str, dict[str, Any]] = COMPOSE["services"]
PROCESSES = ["gateway", *(service.name for service in SERVICES), "acquirer"]

each_service = pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
each_process = pytest.mark.parametrize("process", PROCESSES)


def test_compose_itself_accepts_the_file(compose: tuple[str, ...]) -> None:
    # Docker may have its compose below HOME; no other variable has to be set.
    environment = _named(os.environ, "PATH", "HOME", "DOCKER_CONFIG")

    checked = subprocess.run(
        [*compose, "--project-directory", str(ROOT), "config", "--quiet"],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )

    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


@each_service
def test_service_has_a_worker_that_waits_until_its_database_is_prepared(service: Service) -> None:
    worker, prepare = CONTAINERS[service.name], CONTAINERS[f"{service.name}-prepare"]

    assert worker["command"] == ["python", "-m", service.module]
    assert prepare["command"] == ["python", "-m", service.module, "prepare"]
    assert worker["depends_on"][f"{service.name}-prepare"] == {"condition": "service_completed_successfully"}
    assert prepare["depends_on"]["databases"] == {"condition": "service_completed_successfully"}
    # Its schedules are made in the namespace.
    assert prepare["depends_on"]["namespace"] == {"condition": "service_completed_successfully"}
    assert prepare["restart"] == "no"


@each_service
def test_service_and_its_job_get_the_database_of_their_own_and_no_other(service: Service) -> None:
    of_worker, of_job = _secrets(service.name), _secrets(f"{service.name}-prepare")

    assert of_worker == {"service_token", f"{service.name}_database_url"}
    assert of_job == {f"{service.name}_database_url", f"{service.name}_owner_database_url"}
    assert of_job <= _secrets("databases")


def test_gateway_waits_until_the_database_of_its_own_is_prepared() -> None:
    prepare = CONTAINERS["gateway-prepare"]

    assert prepare["command"] == ["python", "-m", "platform_gateway", "prepare"]
    assert prepare["depends_on"]["databases"] == {"condition": "service_completed_successfully"}
    assert prepare["restart"] == "no"
    assert CONTAINERS["gateway"]["depends_on"]["gateway-prepare"] == {"condition": "service_completed_successfully"}
    assert _secrets("gateway-prepare") == {"gateway_database_url"}
    assert "gateway_database_url" in _secrets("databases")


@each_service
def test_gateway_finds_the_views_of_a_service(service: Service) -> None:
    variables = CONTAINERS["gateway"]["environment"]

    assert variables[f"{service.name.upper()}_VIEWS_URL"] == f"http://{service.name}:{service.internal_port}"


@each_process
def test_process_is_asked_whether_it_is_ready(process: str) -> None:
    container = CONTAINERS[process]

    assert "READY_URL" in container["healthcheck"]["test"][-1]
    assert container["environment"]["READY_URL"].endswith("/readyz")


@each_process
def test_process_may_do_no_more_than_it_must(process: str) -> None:
    container = CONTAINERS[process]

    assert container["read_only"] is True
    assert container["cap_drop"] == ["ALL"]
    assert container["security_opt"] == ["no-new-privileges:true"]


@each_process
def test_process_has_time_to_end_its_work(process: str) -> None:
    assert CONTAINERS[process]["stop_grace_period"] == "30s"


@each_process
def test_prometheus_scrapes_every_container_of_a_process(process: str) -> None:
    ports = {service.name: service.internal_port for service in SERVICES} | {"gateway": 9454, "acquirer": 8090}

    scraped = {job["job_name"]: job.get("dns_sd_configs") for job in PROMETHEUS["scrape_configs"]}

    (found,) = scraped[process]
    assert (found["names"], found["type"], found["port"]) == ([process], "A", ports[process])


def test_prometheus_scrapes_only_what_there_is() -> None:
    names = {
        name
        for job in PROMETHEUS["scrape_configs"]
        for found in job.get("dns_sd_configs", [])
        for name in found["names"]
    }

    assert names <= set(CONTAINERS)
    assert "temporal" in names


def test_ports_can_be_reached_from_this_machine_alone() -> None:
    published = [port for container in CONTAINERS.values() for port in container.get("ports", [])]

    assert published
    assert not [port for port in published if not str(port).startswith("127.0.0.1:")]


def test_no_secret_stands_in_the_file() -> None:
    variables = {
        (name, variable): str(value)
        for name, container in CONTAINERS.items()
        for variable, value in container.get("environment", {}).items()
    }

    secret = {
        key: value
        for key, value in variables.items()
        if re.search("PASSWORD|PWD|TOKEN|API_KEY|SECRET|DATABASE_URL", key[1])
        and not value.startswith(("/run/secrets/", "sqlite:///"))
    }

    assert not secret
    assert _secrets("gateway") == {
        "gateway_api_key",
        "service_token",
        "gateway_database_url",
        "gateway_acquirer_webhook_secrets",
    }


def test_acquirer_signs_with_the_secret_that_the_gateway_knows() -> None:
    files = {name: secret["file"] for name, secret in COMPOSE["secrets"].items()}

    assert _secrets("acquirer") == {"acquirer_webhook_secret"}
    assert files["acquirer_webhook_secret"] == files["gateway_acquirer_webhook_secrets"]
    assert CONTAINERS["acquirer"]["environment"]["ACQUIRER_WEBHOOK_URL"].startswith("http://gateway:8000/")


def test_secrets_are_files_that_git_ignores_and_the_script_makes(tmp_path: Path) -> None:
    script = tmp_path / "deploy" / "make-secrets.sh"
    script.parent.mkdir()
    shutil.copy(ROOT / "deploy/make-secrets.sh", script)
    files = {Path(secret["file"]) for secret in COMPOSE["secrets"].values()}

    first = _made_secrets(script)
    made = _made_secrets(script)

    assert {file.relative_to(tmp_path) for file in made} == files
    assert made == first
    assert len(set(made.values())) == len(made)
    assert (tmp_path / "deploy/secrets").stat().st_mode & 0o777 == 0o700
    assert "deploy/secrets/" in (ROOT / ".gitignore").read_text().splitlines()


def test_every_image_has_a_version() -> None:
    images = {container["image"] for container in CONTAINERS.values()}

    assert not {image for image in images if ":" not in image or image.endswith(":latest")}


def test_everything_that_is_mounted_exists() -> None:
    mounted = [volume for container in CONTAINERS.values() for volume in container.get("volumes", [])]

    files = {volume.split(":")[0] for volume in mounted if volume.startswith(".")}

    assert files
    assert not {file for file in files if not (ROOT / file).exists()}


def test_image_holds_every_member_but_the_command_line_tool() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()

    missing = {member.name for member in MEMBERS if member.name not in dockerfile}

    assert missing == {"platform-cli"}


def _made_secrets(script: Path) -> dict[Path, str]:
    subprocess.run(["sh", str(script)], check=True, timeout=20)
    return {file: file.read_text() for file in (script.parent / "secrets").iterdir()}


def _secrets(container: str) -> set[str]:
    return set(CONTAINERS[container].get("secrets", []))


def _named(environment: Mapping[str, str], *names: str) -> dict[str, str]:
    return {name: environment[name] for name in names if name in environment}
