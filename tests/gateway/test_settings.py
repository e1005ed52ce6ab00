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
        ({"GATEWAY_AUTH": "maybe"}, "GATEWAY_AUTH: "),
        ({"GATEWAY_AUTH": "off", "GATEWAY_API_KEY": "a"}, "GATEWAY_API_KEY: Value error, GATEWAY_AUTH=off lets"),
        ({"GATEWAY_AUTH": "off", "GATEWAY_HOST": "0.0.0.0"}, "GATEWAY_HOST: "),
        ({"GATEWAY_DATABASE_URL": "mysql://db"}, "GATEWAY_DATABASE_URL: "),
        ({"GATEWAY_OIDC_ISSUER": "https://id.example"}, "GATEWAY_OIDC_ISSUER: Value error, its tokens may be for oth"),
        ({"GATEWAY_OIDC_ISSUER": "http://id.example", "GATEWAY_OIDC_AUDIENCE": "a"}, "GATEWAY_OIDC_ISSUER: Value er"),
        ({"GATEWAY_OIDC_JWKS_URL": "http://id.example/keys"}, "GATEWAY_OIDC_JWKS_URL: Value error, keys over plain"),
        ({"GATEWAY_OIDC_ALGORITHMS": "RS256,HS256"}, "GATEWAY_OIDC_ALGORITHMS: Value error, only asymmetric ones"),
        ({"GATEWAY_OIDC_ALGORITHMS": "none"}, "GATEWAY_OIDC_ALGORITHMS: Value error, only asymmetric ones"),
        ({"GATEWAY_OIDC_LEEWAY_SECONDS": "61"}, "GATEWAY_OIDC_LEEWAY_SECONDS: "),
        ({"GATEWAY_TENANT": "Acme"}, "GATEWAY_TENANT: "),
        ({"GATEWAY_PORT": "http"}, "GATEWAY_PORT: "),
        ({"GATEWAY_PORT": "65536"}, "GATEWAY_PORT: "),
        ({"GATEWAY_EXECUTE_WAIT_SECONDS": "-1"}, "GATEWAY_EXECUTE_WAIT_SECONDS: "),
        ({"GATEWAY_RATE_LIMIT": "fast"}, "GATEWAY_RATE_LIMIT: Value error, 'fast' is no rate, such as 100/second"),
        ({"GATEWAY_IN_FLIGHT_PER_TENANT": "-1"}, "GATEWAY_IN_FLIGHT_PER_TENANT: "),
        ({"GATEWAY_DOCS": "maybe"}, "GATEWAY_DOCS: "),
        ({"GATEWAY_HSTS_SECONDS": "-1"}, "GATEWAY_HSTS_SECONDS: "),
        ({"GATEWAY_EVENT_STREAMS_PER_TENANT": "0"}, "GATEWAY_EVENT_STREAMS_PER_TENANT: "),
        ({"GATEWAY_EVENT_STREAM_SECONDS": "0"}, "GATEWAY_EVENT_STREAM_SECONDS: "),
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


def test_execute_waits_ten_seconds_unless_it_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    by_default = load_settings(GatewaySettings)
    monkeypatch.setenv("GATEWAY_EXECUTE_WAIT_SECONDS", "2.5")
    as_set = load_settings(GatewaySettings)

    assert by_default.execute_wait_seconds == 10
    assert as_set.execute_wait_seconds == 2.5


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.10", "::1", "localhost"])
def test_without_a_key_loopback_addresses_are_allowed(host: str) -> None:
    settings = GatewaySettings(host=host)

    assert settings.key() is None


@pytest.mark.parametrize(
    ("settings", "is_authenticated"),
    [
        ({}, False),
        ({"auth": "off"}, False),
        ({"auth": "on"}, True),
        ({"auth": "on", "host": "0.0.0.0"}, True),
        ({"api_key": "key"}, True),
        ({"oidc_issuer": "https://id.example", "oidc_audience": "api", "host": "0.0.0.0"}, True),
    ],
)
def test_callers_prove_who_they_are_where_they_can(settings: dict[str, str], *, is_authenticated: bool) -> None:
    assert GatewaySettings.model_validate(settings).is_authenticated is is_authenticated


def test_lists_are_words_between_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_OIDC_ALGORITHMS", "ES256, EdDSA")
    monkeypatch.setenv("GATEWAY_OIDC_TOKEN_TYPES", "application/at+JWT")

    settings = load_settings(GatewaySettings)

    assert settings.oidc_algorithms == ("ES256", "EdDSA")
    assert settings.oidc_token_types == ("at+jwt",)


def test_a_key_is_not_shown_by_accident(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("secret-key\n")

    settings = [GatewaySettings.model_validate({"api_key": "secret-key"}), GatewaySettings(api_key_file=file)]

    assert "secret-key" not in repr(settings)
    assert {str(each.key()) for each in settings} == {"**********"}
    assert all(key is not None and key.get_secret_value() == "secret-key" for key in (each.key() for each in settings))
