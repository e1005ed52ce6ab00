"""What can be set for the user service; a wrong value is named by its variable."""

import pytest

from platform_runtime.settings import load_settings
from user_service.settings import UserSettings
from user_service.worker import smtp_server


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("USER_SMTP_URL", "USER_MAIL_FROM", "USER_INTERNAL_PORT", "USER_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)


def test_defaults_suit_the_local_stack() -> None:
    settings = load_settings(UserSettings)

    assert settings.internal_port == 9464
    assert (smtp_server(settings.smtp_url).host, smtp_server(settings.smtp_url).port) == ("localhost", 1025)


@pytest.mark.parametrize(
    ("url", "security"),
    [("smtp://mail.example", "none"), ("smtp+starttls://mail.example", "starttls"), ("smtps://mail.example", "tls")],
)
def test_scheme_says_how_the_connection_is_secured(monkeypatch: pytest.MonkeyPatch, url: str, security: str) -> None:
    monkeypatch.setenv("USER_SMTP_URL", url)

    server = smtp_server(load_settings(UserSettings).smtp_url)

    assert server.security == security
    assert server.port is None


def test_log_in_is_read_from_the_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USER_SMTP_URL", "smtps://post%40man:p%3Ass%2Fw%C3%B6rd@mail.example:2465")

    server = smtp_server(load_settings(UserSettings).smtp_url)

    assert (server.username, server.password, server.port) == ("post@man", "p:ss/wörd", 2465)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("USER_SMTP_URL", "http://mail.example"),
        ("USER_SMTP_URL", "smtp://"),
        ("USER_SMTP_URL", "mail.example:25"),
        ("USER_SMTP_URL", "smtp://mail.example:99999"),
        ("USER_MAIL_FROM", "nobody"),
        ("USER_MAIL_FROM", "a@example.com, b@example.com"),
        ("USER_INTERNAL_PORT", "x"),
        ("USER_DATABASE_URL", "mysql://db"),
    ],
)
def test_wrong_value_stops_the_process_with_the_name_of_its_variable(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)

    with pytest.raises(SystemExit) as raised:
        load_settings(UserSettings)

    assert raised.value.code == 2
    assert capsys.readouterr().err.startswith(f"{variable}: ")
