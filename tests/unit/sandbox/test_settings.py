"""What can be set for the acquirer; a wrong value is named by its variable."""

import base64

import pytest

from platform_runtime.settings import load_settings
from platform_sandbox.settings import AcquirerSettings

SECRET = f"whsec_{base64.b64encode(b'k' * 24).decode()}"


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in AcquirerSettings.model_fields:
        monkeypatch.delenv(f"ACQUIRER_{name.upper()}", raising=False)


def test_nobody_is_told_of_changes_by_default() -> None:
    settings = load_settings(AcquirerSettings)

    assert (settings.webhook_url, settings.webhook_secret) == (None, None)
    assert settings.expires_after_seconds == 7 * 24 * 3600


def test_webhook_is_set_by_its_url_and_its_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACQUIRER_WEBHOOK_URL", "http://127.0.0.1:1/events")
    monkeypatch.setenv("ACQUIRER_WEBHOOK_SECRET", SECRET)

    settings = load_settings(AcquirerSettings)

    assert settings.webhook_secret is not None
    assert settings.webhook_secret.get_secret_value() == SECRET
    assert SECRET not in repr(settings)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ACQUIRER_DATABASE_URL", "postgresql://db"),
        ("ACQUIRER_EXPIRES_AFTER_SECONDS", "0"),
        ("ACQUIRER_SETTLES_AFTER_SECONDS", "-1"),
        ("ACQUIRER_WEBHOOK_URL", "gateway"),
        ("ACQUIRER_WEBHOOK_SECRET", "whsec_c2hvcnQ="),
        ("ACQUIRER_WEBHOOK_SECRET", f"secret_{SECRET}"),
        ("ACQUIRER_WEBHOOK_SECRET", "whsec_%%%"),
    ],
)
def test_wrong_value_stops_the_process_with_the_name_of_its_variable(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)

    with pytest.raises(SystemExit) as raised:
        load_settings(AcquirerSettings)

    said = f"{raised.value}{capsys.readouterr().err}"
    assert variable in said
    assert "whsec_c2" not in said


@pytest.mark.parametrize(("name", "value"), [("URL", "http://127.0.0.1:1/events"), ("SECRET", SECRET)])
def test_half_a_webhook_is_none(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str
) -> None:
    monkeypatch.setenv(f"ACQUIRER_WEBHOOK_{name}", value)

    with pytest.raises(SystemExit) as raised:
        load_settings(AcquirerSettings)

    assert "set both or none" in f"{raised.value}{capsys.readouterr().err}"
