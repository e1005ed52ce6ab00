"""Settings: what a wrong value does, and where values come from."""

import os
from pathlib import Path

import pytest
from pydantic_settings import BaseSettings, SettingsConfigDict

from platform_runtime.settings import (
    DrillSettings,
    ServiceSettings,
    TemporalSettings,
    load_environment,
    load_settings,
    parse_delays,
)

GUIDE_ENVIRONMENT = """
# Temporal
TEMPORAL_ADDRESS=localhost:7233
TEMPORAL_NAMESPACE=default
TEMPORAL_TASK_QUEUE=partner-platform
TEMPORAL_MAX_CONCURRENT_ACTIVITIES=100
TEMPORAL_MAX_CONCURRENT_WORKFLOWS=100
# of the Node backend, nothing to us
NODE_ENV=development
PORT=3000
"""


class ExampleSettings(ServiceSettings):
    """A service's settings."""

    model_config = SettingsConfigDict(env_prefix="EXAMPLE_")


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in list(os.environ):
        if variable.startswith(("TEMPORAL_", "EXAMPLE_", "DRILL_")):
            monkeypatch.delenv(variable)


def test_defaults_are_those_of_the_guide() -> None:
    settings = load_settings(TemporalSettings)

    assert settings.max_concurrent_activities == 100
    assert settings.max_concurrent_workflows == 100
    assert settings.task_queue is None


def test_environment_file_of_the_guide_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text(GUIDE_ENVIRONMENT)
    monkeypatch.setattr(os, "environ", dict(os.environ))

    load_environment(tmp_path)
    settings = load_settings(TemporalSettings)

    assert settings.address == "localhost:7233"
    assert settings.namespace == "default"
    assert settings.task_queue == "partner-platform"


def test_variable_that_is_set_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("TEMPORAL_NAMESPACE=from-file")
    monkeypatch.setenv("TEMPORAL_NAMESPACE", "from-environment")

    load_environment(tmp_path)

    assert load_settings(TemporalSettings).namespace == "from-environment"


@pytest.mark.parametrize(
    ("settings_type", "variable", "value"),
    [
        (TemporalSettings, "TEMPORAL_ADDRESS", "http://localhost:7233"),
        (TemporalSettings, "TEMPORAL_ADDRESS", "localhost"),
        (TemporalSettings, "TEMPORAL_MAX_CONCURRENT_ACTIVITIES", "many"),
        (TemporalSettings, "TEMPORAL_MAX_CONCURRENT_ACTIVITIES", "0"),
        (TemporalSettings, "TEMPORAL_MAX_CONCURRENT_WORKFLOWS", "1"),
        (TemporalSettings, "TEMPORAL_TASK_QUEUE", "two words"),
        (TemporalSettings, "TEMPORAL_TLS", "off"),
        (DrillSettings, "DRILL_ACTIVITY_DELAY_SECONDS", "user.send_email"),
        (DrillSettings, "DRILL_ACTIVITY_DELAY_SECONDS", "user.send_email=-1"),
        (ExampleSettings, "EXAMPLE_DATABASE_URL", "mysql://localhost/x"),
    ],
)
def test_wrong_value_stops_the_process_with_one_line_that_names_the_variable(
    settings_type: type[BaseSettings],
    variable: str,
    value: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("EXAMPLE_INTERNAL_PORT", "9999")
    monkeypatch.setenv(variable, value)

    with pytest.raises(SystemExit) as stopped:
        load_settings(settings_type)

    lines = capsys.readouterr().err.splitlines()
    assert stopped.value.code == 2
    assert len(lines) == 1
    assert lines[0].startswith(f"{variable}: ")


def test_missing_value_names_its_variable(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        load_settings(ExampleSettings)

    assert capsys.readouterr().err.startswith("EXAMPLE_INTERNAL_PORT: ")


def test_secret_is_not_repeated_in_the_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EXAMPLE_INTERNAL_PORT", "9999")
    monkeypatch.setenv("EXAMPLE_DATABASE_URL", "oracle://user:hunter2@host/x")

    with pytest.raises(SystemExit):
        load_settings(ExampleSettings)

    assert "hunter2" not in capsys.readouterr().err


def test_delays_are_read_by_activity_type() -> None:
    delays = parse_delays("user.send_email=1, *=0.25,")

    assert delays == {"user.send_email": 1.0, "*": 0.25}


def test_secrets_come_from_files_and_variables_win(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "example_database_url").write_text("postgresql://example:secret@postgres/example\n")
    (tmp_path / "example_internal_host").write_text("0.0.0.0\n")
    monkeypatch.setenv("SECRETS_DIRECTORY", str(tmp_path))
    monkeypatch.setenv("EXAMPLE_INTERNAL_HOST", "127.0.0.2")
    monkeypatch.setenv("EXAMPLE_INTERNAL_PORT", "0")

    settings = load_settings(ExampleSettings)

    assert settings.database_url == "postgresql://example:secret@postgres/example"
    assert settings.internal_host == "127.0.0.2"


def test_directory_of_secrets_need_not_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRETS_DIRECTORY", str(tmp_path / "none"))
    monkeypatch.setenv("EXAMPLE_INTERNAL_PORT", "0")

    assert load_settings(ExampleSettings).database_url is None
