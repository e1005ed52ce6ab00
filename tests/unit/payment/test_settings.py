"""What can be set for the payment service; a wrong value is named by its variable."""

from datetime import timedelta

import pytest

from payment_service.activities.payouts import PayoutTimings
from payment_service.domain.payouts import PayoutPlan, PayoutSchedule
from payment_service.settings import PaymentSettings
from platform_runtime.settings import load_settings


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ACQUIRER_URL", "ACQUIRER_TIMEOUT_SECONDS", "FEE_BASIS_POINTS", "INTERNAL_PORT", "DATABASE_URL"):
        monkeypatch.delenv(f"PAYMENT_{name}", raising=False)


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
