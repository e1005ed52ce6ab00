"""A wrong setting stops the gateway with one line that names the variable."""

from pathlib import Path

import pytest

from platform_gateway.settings import GatewaySettings
from platform_runtime.settings import load_settings


@pytest.mark.parametrize(
    ("environment", "line"),
    [
        ({"GATEWAY_HOST": "0.0.0.0"}, "GATEWAY_HOST: "),
        ({"GATEWAY_HOST": "::"}, "GATEWAY_HOST: "),
        ({"GATEWAY_HOST": "gateway.example"}, "GATEWAY_HOST: "),
        ({"GATEWAY_API_KEY": "a", "GATEWAY_API_KEY_FILE": "/dev/null"}, "GATEWAY_API_KEY_FILE: Value error, GATEWAY_A"),
        ({"GATEWAY_API_KEY_FILE": "/does/not/exist"}, "GATEWAY_API_KEY_FILE: "),
        ({"GATEWAY_API_KEY_FILE": "/dev/null"}, "GATEWAY_API_KEY_FILE: "),
        ({"GATEWAY_API_KEY": "two words"}, "GATEWAY_API_KEY: "),
        ({"GATEWAY_TENANT": "Acme"}, "GATEWAY_TENANT: "),
        ({"GATEWAY_PORT": "http"}, "GATEWAY_PORT: "),
        ({"GATEWAY_PORT": "65536"}, "GATEWAY_PORT: "),
        ({"GATEWAY_EXECUTE_WAIT_SECONDS": "-1"}, "GATEWAY_EXECUTE_WAIT_SECONDS: "),
        ({"GATEWAY_RATE_LIMIT": "fast"}, "GATEWAY_RATE_LIMIT: Value error, 'fast' is no rate, such as 100/second"),
        ({"GATEWAY_IN_FLIGHT_PER_TENANT": "-1"}, "GATEWAY_IN_FLIGHT_PER_TENANT: "),
        ({"GATEWAY_DOCS": "maybe"}, "GATEWAY_DOCS: "),
        ({"GATEWAY_HSTS_SECONDS": "-1"}, "GATEWAY_HSTS_SECONDS: "),
        ({"USER_VIEWS_URL": "localhost:9464"}, "USER_VIEWS_URL: "),
        ({"JAEGER_UI_URL": "jaeger"}, "JAEGER_UI_URL: "),
    ],
)
def test_a_wrong_setting_is_one_line(
    environment: dict[str, str], line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(SystemExit) as stopped:
        load_settings(GatewaySettings)

    said = capsys.readouterr().err.splitlines()
    assert stopped.value.code == 2
    assert len(said) == 1
    assert said[0].startswith(line)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.10", "::1", "localhost"])
def test_without_a_key_loopback_addresses_are_allowed(host: str) -> None:
    settings = GatewaySettings(host=host)

    assert settings.key() is None


def test_a_key_is_not_shown_by_accident(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("secret-key\n")

    settings = [GatewaySettings.model_validate({"api_key": "secret-key"}), GatewaySettings(api_key_file=file)]

    assert "secret-key" not in repr(settings)
    assert {str(each.key()) for each in settings} == {"**********"}
    assert all(key is not None and key.get_secret_value() == "secret-key" for key in (each.key() for each in settings))
