"""What can be set for the listing service; a wrong value is named by its variable."""

import pytest

from listing_service.settings import ListingSettings
from platform_runtime.settings import load_settings

DAY_SECONDS = 24 * 60 * 60


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("INTERNAL_PORT", "HOLD_SECONDS", "REVIEW_REMINDER_SECONDS", "REVIEW_DEADLINE_SECONDS"):
        monkeypatch.delenv(f"LISTING_{name}", raising=False)


def test_defaults_are_a_quarter_of_an_hour_a_day_and_a_week() -> None:
    settings = load_settings(ListingSettings)

    assert settings.internal_port == 9484
    assert settings.hold_seconds == 15 * 60
    assert settings.review_reminder_seconds == DAY_SECONDS
    assert settings.review_deadline_seconds == 7 * DAY_SECONDS


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("LISTING_HOLD_SECONDS", "0"),
        ("LISTING_HOLD_SECONDS", "soon"),
        ("LISTING_REVIEW_REMINDER_SECONDS", "-1"),
        ("LISTING_REVIEW_DEADLINE_SECONDS", "1e9"),
    ],
)
def test_wrong_value_stops_the_process_with_the_name_of_its_variable(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)

    with pytest.raises(SystemExit) as raised:
        load_settings(ListingSettings)

    assert raised.value.code == 2
    assert capsys.readouterr().err.startswith(f"{variable}: ")
