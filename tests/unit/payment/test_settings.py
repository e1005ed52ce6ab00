"""What can be set for the payment service; a wrong value is named by its variable."""

import pytest

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
