"""Each service installs and works without the other members: its own libraries are all it needs."""

import os
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from temporalio.testing import WorkflowEnvironment

from tests.architecture.members import MEMBERS, ROOT, SERVICES, Member, with_own_libraries
from tests.support.network import free_port

UV = Path(sys.executable).with_name("uv")
READY_WITHIN_SECONDS = 30
STOPPED_WITHIN_SECONDS = 15


@pytest.mark.timeout(240)  # on a new machine some packages come over the network once more
@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.package)
def test_service_works_in_an_environment_of_its_own(
    service: Member, temporal_server: WorkflowEnvironment, tmp_path: Path
) -> None:
    python = _install(service, tmp_path)
    port = free_port()
    prefix = service.package.removesuffix("_service").upper()
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PARTNER_HOME": str(tmp_path / "partner"),
        "TEMPORAL_ADDRESS": temporal_server.client.service_client.config.target_host,
        f"{prefix}_DATABASE_URL": f"sqlite:///{tmp_path}/{service.package}.sqlite3",
        f"{prefix}_INTERNAL_PORT": str(port),
    }
    start = [str(python), "-m", service.package]
    subprocess.run([*start, "prepare"], cwd=tmp_path, env=environment, check=True, timeout=60)

    with _process(start, tmp_path, environment) as worker:
        became_ready = _is_ready(port, worker)
        worker.terminate()
        exit_code = worker.wait(STOPPED_WITHIN_SECONDS)

    assert became_ready, (tmp_path / "log").read_text()
    assert exit_code == 0, (tmp_path / "log").read_text()
    assert _importable(python) == {member.package for member in with_own_libraries(service)}


def _install(service: Member, directory: Path) -> Path:
    """Make an environment with one service and the libraries that it declares; return its Python."""
    environment = directory / "environment"
    python = environment / "bin" / "python"
    lock = str(ROOT / "requirements.lock")
    paths = [str(member.directory) for member in with_own_libraries(service)]
    install = ["pip", "install", "--python", str(python), "--constraints", lock, "--build-constraints", lock, *paths]
    for command in (["venv", "--python", sys.executable, str(environment)], install):
        done = subprocess.run(
            [str(UV), "--quiet", *command],
            cwd=directory,
            env={**os.environ, "UV_SYSTEM_CERTS": "1"},
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )
        if done.returncode != 0:
            pytest.fail(f"{service.name} does not install on its own:\n{done.stderr}", pytrace=False)
    return python


@contextmanager
def _process(command: list[str], directory: Path, environment: dict[str, str]) -> Generator[subprocess.Popen[bytes]]:
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=directory, env=environment, stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def _is_ready(port: int, process: subprocess.Popen[bytes]) -> bool:
    deadline = time.monotonic() + READY_WITHIN_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=1).is_success:
                return True
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    return False


def _importable(python: Path) -> set[str]:
    """Return which of our packages an environment has."""
    packages = [member.package for member in MEMBERS]
    question = f"import importlib.util as u; print(*(p for p in {packages} if u.find_spec(p)))"
    asked = subprocess.run([str(python), "-I", "-c", question], capture_output=True, text=True, check=True, timeout=30)
    return set(asked.stdout.split())
