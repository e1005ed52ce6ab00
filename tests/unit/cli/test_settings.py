import re
from pathlib import Path

import pytest

from platform_cli.errors import StackError
from platform_cli.services import SERVICES, parse_workers, service_named
from platform_cli.settings import StackSettings, internal_address, stack_settings


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for variable in (
        "GATEWAY_PORT",
        "TEMPORAL_UI_PORT",
        "ACQUIRER_PORT",
        "USER_INTERNAL_PORT",
        "PARTNER_HOME",
        "USER_INTERNAL_HOST",
    ):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.chdir(tmp_path)


def test_ports_have_the_documented_defaults() -> None:
    settings = stack_settings()

    assert (settings.gateway_port, settings.temporal_ui_port, settings.jaeger_ui_port) == (8000, 8233, 16686)
    assert (settings.jaeger_otlp_grpc_port, settings.jaeger_otlp_http_port) == (4317, 4318)
    assert (settings.mailpit_smtp_port, settings.mailpit_ui_port) == (1025, 8025)
    assert (settings.acquirer_port, settings.acquirer_url) == (8090, "http://127.0.0.1:8090")
    assert [internal_address(service)[1] for service in SERVICES] == [9464, 9474, 9484, 9494]


def test_env_file_of_the_working_directory_counts_and_the_environment_wins(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("GATEWAY_PORT=18000\nTEMPORAL_UI_PORT=18233\n")
    monkeypatch.setenv("TEMPORAL_UI_PORT", "28233")
    # Registered, so that what the file adds to the environment is taken away again.
    monkeypatch.setenv("GATEWAY_PORT", "")
    monkeypatch.delenv("GATEWAY_PORT")

    settings = stack_settings()

    assert settings.gateway_port == 18000
    assert settings.temporal_ui_port == 28233


def test_wrong_port_ends_with_a_line_that_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GATEWAY_PORT", "99999")

    with pytest.raises(SystemExit) as leaving:
        stack_settings()

    assert leaving.value.code == 2
    assert capsys.readouterr().err.startswith("GATEWAY_PORT:")


def test_internal_port_of_a_service_is_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USER_INTERNAL_PORT", "19464")

    address = internal_address(service_named("user"))

    assert address == ("127.0.0.1", 19464)


def test_workers_may_be_given_together_or_one_by_one() -> None:
    assert parse_workers(["user=2,analytics=3"]) == {"user": 2, "analytics": 3}
    assert parse_workers(["user=2", "analytics=0"]) == {"user": 2, "analytics": 0}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [("user", "is not SERVICE=NUMBER"), ("user=x", "is not SERVICE=NUMBER"), ("user=-1", "is not SERVICE=NUMBER"),
     ("shop=1", "the services are user, payment, listing, analytics"), ("user=11", "at most 10")],
)  # fmt: skip
def test_wrong_number_of_workers_is_refused_with_a_reason(text: str, complaint: str) -> None:
    with pytest.raises(StackError, match=complaint):
        parse_workers([text])


def test_example_of_an_env_file_shows_the_defaults_that_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    example = Path(__file__).parents[3] / ".env.example"
    shown = dict(re.findall(r"^# ([A-Z_]+)=(.*)$", example.read_text(), re.MULTILINE))

    for name, field in StackSettings.model_fields.items():
        variable, default = name.upper(), field.default
        monkeypatch.delenv(variable, raising=False)
        if isinstance(default, int | Path) and not isinstance(default, bool):
            assert shown[variable] == str(default)
    for service in SERVICES:
        assert shown[f"{service.name.upper()}_INTERNAL_PORT"] == str(service.internal_port)
        assert f"{service.name.upper()}_DATABASE_URL" in shown
