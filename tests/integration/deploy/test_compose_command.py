from pathlib import Path

import pytest

from deploy.rehearsal import programs
from deploy.rehearsal.programs import COMPOSE_PLUGIN, compose_command
from platform_cli.tools.cache import cached_binary
from platform_cli.tools.finder import Tool


@pytest.fixture(autouse=True)
def path_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    directory = tmp_path / "path"
    directory.mkdir()
    monkeypatch.setenv("PATH", str(directory))
    monkeypatch.setenv("PARTNER_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv(COMPOSE_PLUGIN.override_variable, raising=False)
    return directory


@pytest.fixture(autouse=True)
def built(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return where a plugin would be that had to be built."""
    binary = tmp_path / "built"

    def build(_tool: Tool) -> Path:
        return binary

    monkeypatch.setattr(programs, "find_or_get", build)
    return binary


def program(path: Path, *, exit_code: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\nexit {exit_code}\n")
    path.chmod(0o755)
    return path


def test_docker_that_has_compose_is_compose(path_directory: Path) -> None:
    docker = program(path_directory / "docker")

    assert compose_command() == (str(docker), "compose")


def test_plugin_is_built_where_docker_has_no_compose(path_directory: Path, built: Path) -> None:
    program(path_directory / "docker", exit_code=1)

    assert compose_command() == (str(built),)


def test_plugin_is_built_where_docker_is_not(built: Path) -> None:
    assert compose_command() == (str(built),)


def test_plugin_that_was_built_before_wins_over_docker(path_directory: Path) -> None:
    program(path_directory / "docker")
    cached = program(cached_binary(COMPOSE_PLUGIN.name, COMPOSE_PLUGIN.version))

    assert compose_command() == (str(cached),)


def test_plugin_that_is_named_wins_over_docker(
    monkeypatch: pytest.MonkeyPatch, path_directory: Path, tmp_path: Path
) -> None:
    program(path_directory / "docker")
    named = program(tmp_path / "mine")
    monkeypatch.setenv(COMPOSE_PLUGIN.override_variable, str(named))

    assert compose_command() == (str(named),)
