import pytest

from analytics_service.settings import AnalyticsSettings
from platform_runtime.settings import load_settings


def test_internal_port_is_9494_unless_it_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANALYTICS_INTERNAL_PORT", raising=False)
    usual = AnalyticsSettings()
    monkeypatch.setenv("ANALYTICS_INTERNAL_PORT", "9495")
    chosen = AnalyticsSettings()

    assert usual.internal_port == 9494
    assert chosen.internal_port == 9495


def test_wrong_value_is_named_by_its_variable(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ANALYTICS_DATABASE_URL", "mysql://somewhere")

    with pytest.raises(SystemExit) as left:
        load_settings(AnalyticsSettings)

    assert left.value.code == 2
    assert capsys.readouterr().err.startswith("ANALYTICS_DATABASE_URL: ")
