"""Where Temporal is: our defaults, the SDK's environment configuration, and its profile file."""

import os
from pathlib import Path

import pytest
from temporalio.service import TLSConfig

from platform_runtime.settings import TemporalSettings
from platform_runtime.temporal_client import connection_options

PROFILE = """
[profile.default]
address = "from-file.example.com:7233"
namespace = "from-file"
api_key = "key-from-file"
"""


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for variable in list(os.environ):
        if variable.startswith("TEMPORAL_"):
            monkeypatch.delenv(variable)
    # The SDK also looks for a file in the home directory.
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


def test_nothing_set_means_the_local_dev_server() -> None:
    options = connection_options(TemporalSettings())

    assert options.get("target_host") == "localhost:7233"
    assert options.get("namespace") == "default"
    assert not options.get("tls")


def test_variables_say_where_the_cluster_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "temporal.example.com:7233")
    monkeypatch.setenv("TEMPORAL_NAMESPACE", "partners")

    options = connection_options(TemporalSettings())

    assert options.get("target_host") == "temporal.example.com:7233"
    assert options.get("namespace") == "partners"


def test_api_key_turns_tls_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_API_KEY", "secret")

    options = connection_options(TemporalSettings())

    assert options.get("api_key") == "secret"
    assert options.get("tls")


def test_client_certificate_is_read_from_its_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "client.pem").write_text("certificate")
    (tmp_path / "client.key").write_text("key")
    monkeypatch.setenv("TEMPORAL_TLS", "true")
    monkeypatch.setenv("TEMPORAL_TLS_CLIENT_CERT_PATH", str(tmp_path / "client.pem"))
    monkeypatch.setenv("TEMPORAL_TLS_CLIENT_KEY_PATH", str(tmp_path / "client.key"))

    tls = connection_options(TemporalSettings()).get("tls")

    assert isinstance(tls, TLSConfig)
    assert (tls.client_cert, tls.client_private_key) == (b"certificate", b"key")


def test_profile_file_is_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "temporal.toml").write_text(PROFILE)
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", str(tmp_path / "temporal.toml"))

    options = connection_options(TemporalSettings())

    assert options.get("target_host") == "from-file.example.com:7233"
    assert options.get("namespace") == "from-file"
    assert options.get("api_key") == "key-from-file"


def test_variable_wins_over_the_profile_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "temporal.toml").write_text(PROFILE)
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", str(tmp_path / "temporal.toml"))
    monkeypatch.setenv("TEMPORAL_NAMESPACE", "from-variable")

    assert connection_options(TemporalSettings()).get("namespace") == "from-variable"


def test_profile_file_that_is_not_there_stops_the_process(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", str(tmp_path / "absent.toml"))

    with pytest.raises(SystemExit) as stopped:
        connection_options(TemporalSettings())

    assert stopped.value.code == 2
    assert capsys.readouterr().err.startswith("TEMPORAL_CONFIG_FILE: ")


def test_unknown_profile_stops_the_process(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("TEMPORAL_PROFILE", "absent")

    with pytest.raises(SystemExit):
        connection_options(TemporalSettings())

    assert capsys.readouterr().err.count("\n") == 1
