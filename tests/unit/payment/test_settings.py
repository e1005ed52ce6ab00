"""What can be set for the payment service; a wrong value is named by its variable."""

from datetime import timedelta
from pathlib import Path

import pytest

from payment_service.activities.payouts import PayoutTimings
from payment_service.domain.payouts import PayoutPlan, PayoutSchedule
from payment_service.settings import PaymentSettings
from platform_runtime.settings import load_settings


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PaymentSettings.model_fields:
        monkeypatch.delenv(f"PAYMENT_{name.upper()}", raising=False)


def test_defaults_suit_the_local_stack() -> None:
    settings = load_settings(PaymentSettings)

    assert settings.internal_port == 9474
    assert str(settings.acquirer_url) == "http://127.0.0.1:8090/"
    assert (settings.acquirer_timeout_seconds, settings.fee_basis_points) == (2, 1_000)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PAYMENT_ACQUIRER_URL", "acquirer:8090"),
        ("PAYMENT_ACQUIRER_TIMEOUT_SECONDS", "0"),
        ("PAYMENT_ACQUIRER_TIMEOUT_SECONDS", "10"),
        ("PAYMENT_FEE_BASIS_POINTS", "10001"),
        ("PAYMENT_FEE_BASIS_POINTS", "0.5"),
        ("PAYMENT_PAYOUT_SCHEDULE", "yearly"),
        ("PAYMENT_PAYOUT_PERIOD_SECONDS", "0"),
        ("PAYMENT_PAYOUT_MINIMUM_MINOR_UNITS", "0"),
        ("PAYMENT_PAYOUT_RESERVE_BASIS_POINTS", "10000"),
        ("PAYMENT_DATABASE_URL", "mysql://db"),
        ("PAYMENT_PROVIDER", "paypal"),
        ("PAYMENT_STRIPE_API_KEY", "pk_test_for_browsers"),
        ("PAYMENT_STRIPE_URL", "stripe"),
        ("PAYMENT_STRIPE_TIMEOUT_SECONDS", "9"),
    ],
)
def test_wrong_value_stops_the_process_with_the_name_of_its_variable(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)

    with pytest.raises(SystemExit) as raised:
        load_settings(PaymentSettings)

    assert raised.value.code == 2
    assert capsys.readouterr().err.startswith(f"{variable}: ")


def test_stripe_without_its_key_stops_the_process(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PAYMENT_PROVIDER", "stripe")

    with pytest.raises(SystemExit):
        load_settings(PaymentSettings)

    assert capsys.readouterr().err.startswith("PAYMENT_STRIPE_API_KEY: ")


def test_key_of_stripe_may_be_a_file_and_is_shown_nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "payment_stripe_api_key").write_text("rk_live_secret")
    monkeypatch.setenv("SECRETS_DIRECTORY", str(tmp_path))
    monkeypatch.setenv("PAYMENT_PROVIDER", "stripe")

    settings = load_settings(PaymentSettings)

    assert settings.stripe_api_key is not None
    assert settings.stripe_api_key.get_secret_value() == "rk_live_secret"
    assert "secret" not in repr(settings).replace("SecretStr", "")


def test_default_plan_and_timings_of_payouts_are_those_that_are_set(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {
        "SCHEDULE": "weekly",
        "MINIMUM_MINOR_UNITS": "500",
        "DELAY_DAYS": "3",
        "RESERVE_BASIS_POINTS": "250",
        "RESERVE_DAYS": "30",
        "REVIEW_ABOVE_MINOR_UNITS": "0",
        "RECHECK_SECONDS": "60",
        "REVIEW_REMINDER_SECONDS": "3600",
        "REVIEW_DEADLINE_SECONDS": "7200",
        "LOOK_SECONDS": "5",
        "UNRESOLVED_SECONDS": "86400",
    }
    for name, value in given.items():
        monkeypatch.setenv(f"PAYMENT_PAYOUT_{name}", value)

    settings = load_settings(PaymentSettings)

    assert settings.payout_plan() == PayoutPlan(
        schedule=PayoutSchedule.WEEKLY,
        minimum_minor_units=500,
        delay_days=3,
        reserve_basis_points=250,
        reserve_days=30,
        review_above_minor_units=0,
    )
    assert settings.payout_timings() == PayoutTimings(
        recheck_after=timedelta(minutes=1),
        remind_after=timedelta(hours=1),
        overdue_after=timedelta(hours=2),
        look_after=timedelta(seconds=5),
        unresolved_after=timedelta(days=1),
    )
