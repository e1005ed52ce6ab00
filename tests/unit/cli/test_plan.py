import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from platform_cli.errors import StackError
from platform_cli.services import SERVICES, service_named
from platform_cli.settings import StackSettings
from platform_cli.stack.backends import Backend, card_acquirer, mail_server, temporal_server, trace_backend
from platform_cli.stack.home import Home
from platform_cli.stack.plan import Plan, check_ports, process_environment, refuse_task_queue
from tests.support.network import free_port


@pytest.fixture(autouse=True)
def _tools_that_exist(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("TEMPORAL", "JAEGER", "MAILPIT"):
        monkeypatch.setenv(f"PARTNER_{name}_BIN", "/bin/true")
    for variable in ("SERVICE_TOKEN", "USER_DATABASE_URL", "USER_VIEWS_URL", "TEMPORAL_PROFILE"):
        monkeypatch.delenv(variable, raising=False)
    profiles = tmp_path / "temporal.toml"
    profiles.write_text("")
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", str(profiles))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.create()
    return home


@pytest.fixture
def listener() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_task_queue_for_all_services_is_refused_in_one_line() -> None:
    with pytest.raises(StackError, match="TEMPORAL_TASK_QUEUE") as error:
        refuse_task_queue(StackSettings(temporal_task_queue="mine"))

    assert "\n" not in str(error.value)


def test_mail_server_that_answers_is_used(home: Home, listener: int) -> None:
    backend = mail_server(StackSettings(user_smtp_url=f"smtp://localhost:{listener}"), home)

    assert backend.process is None
    assert backend.where == f"localhost:{listener}"


def test_loopback_mail_server_where_nothing_listens_is_started_there(home: Home) -> None:
    port = free_port()

    backend = mail_server(StackSettings(user_smtp_url=f"smtp://localhost:{port}"), home)

    assert backend.process is not None
    assert f"127.0.0.1:{port}" in backend.process.command
    assert backend.environment == {"USER_SMTP_URL": f"smtp://localhost:{port}"}


def test_mail_server_elsewhere_that_does_not_answer_is_an_error_without_its_password(home: Home) -> None:
    with pytest.raises(StackError, match=r"USER_SMTP_URL.*does not answer") as error:
        mail_server(StackSettings(user_smtp_url="smtp://me:secret@nowhere.invalid"), home)

    assert "secret" not in str(error.value)


def test_acquirer_that_answers_is_used(home: Home, listener: int) -> None:
    url = f"http://127.0.0.1:{listener}/"

    backend = card_acquirer(StackSettings(payment_acquirer_url=url), home)

    assert backend.process is None
    assert backend.urls == {"acquirer": f"http://127.0.0.1:{listener}"}


@pytest.mark.parametrize("is_named", [True, False], ids=["named", "by its port"])
def test_loopback_acquirer_where_nothing_listens_is_started_there(home: Home, *, is_named: bool) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    settings = StackSettings(payment_acquirer_url=url) if is_named else StackSettings(acquirer_port=port)

    backend = card_acquirer(settings, home)

    assert backend.process is not None
    assert backend.process.environment["ACQUIRER_PORT"] == str(port)
    assert backend.process.environment["PARTNER_HOME"] == str(home.directory)
    assert backend.environment["PAYMENT_ACQUIRER_URL"] == url
    assert backend.process.ports[0].variable == ("PAYMENT_ACQUIRER_URL" if is_named else "ACQUIRER_PORT")


def test_our_acquirer_tells_our_gateway_with_a_secret_that_both_know(home: Home) -> None:
    backend = card_acquirer(StackSettings(acquirer_port=free_port(), gateway_port=18000), home)

    assert backend.process is not None
    told = backend.process.environment
    assert told["ACQUIRER_WEBHOOK_URL"] == "http://127.0.0.1:18000/v1/provider-events/acquirer"
    assert told["ACQUIRER_WEBHOOK_SECRET"] == backend.environment["GATEWAY_ACQUIRER_WEBHOOK_SECRETS"]
    assert told["ACQUIRER_WEBHOOK_SECRET"] == home.webhook_secret()


def test_acquirer_that_the_user_has_told_whom_to_tell_stays_as_it_is(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACQUIRER_WEBHOOK_URL", "http://127.0.0.1:1/elsewhere")

    backend = card_acquirer(StackSettings(acquirer_port=free_port()), home)

    assert backend.process is not None
    assert backend.process.environment["ACQUIRER_WEBHOOK_URL"] == "http://127.0.0.1:1/elsewhere"
    assert "ACQUIRER_WEBHOOK_SECRET" not in backend.process.environment
    assert "GATEWAY_ACQUIRER_WEBHOOK_SECRETS" not in backend.environment


def test_acquirer_elsewhere_that_does_not_answer_is_an_error(home: Home) -> None:
    with pytest.raises(StackError, match=r"PAYMENT_ACQUIRER_URL.*does not answer"):
        card_acquirer(StackSettings(payment_acquirer_url="http://nowhere.invalid"), home)


def test_trace_backend_that_answers_is_used(home: Home, listener: int) -> None:
    backend = trace_backend(StackSettings(otel_exporter_otlp_endpoint=f"http://127.0.0.1:{listener}"), home)

    assert backend.process is None


def test_trace_backend_elsewhere_that_does_not_answer_is_an_error(home: Home) -> None:
    with pytest.raises(StackError, match=r"OTEL_EXPORTER_OTLP_ENDPOINT=http://nowhere\.invalid:4317 does not answer"):
        trace_backend(StackSettings(otel_exporter_otlp_endpoint="http://nowhere.invalid:4317"), home)


def test_traces_over_http_go_to_the_http_port_of_our_backend(home: Home) -> None:
    settings = StackSettings(otel_exporter_otlp_protocol="http/protobuf", jaeger_otlp_http_port=free_port())

    backend = trace_backend(settings, home)

    assert backend.environment["OTEL_EXPORTER_OTLP_ENDPOINT"] == f"http://localhost:{settings.jaeger_otlp_http_port}"


def test_no_trace_backend_is_started_when_traces_are_off(home: Home) -> None:
    assert trace_backend(StackSettings(otel_sdk_disabled=True), home).process is None


def test_temporal_elsewhere_that_does_not_answer_is_an_error(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "nowhere.invalid:7233")

    with pytest.raises(StackError, match=r"TEMPORAL_ADDRESS=nowhere\.invalid:7233 does not answer"):
        temporal_server(StackSettings(), home)


def test_temporal_of_ours_is_tuned_and_keeps_its_data(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    monkeypatch.setenv("TEMPORAL_ADDRESS", f"localhost:{port}")

    backend = temporal_server(StackSettings(temporal_ui_port=free_port()), home)

    assert backend.process is not None
    command = " ".join(backend.process.command)
    assert f"--port {port}" in command
    assert f"--db-filename {home.data}/temporal.sqlite3" in command
    assert "--sqlite-pragma journal_mode=WAL --sqlite-pragma synchronous=NORMAL" in command
    assert "--dynamic-config-value matching.numTaskqueueReadPartitions=1" in command
    assert "--dynamic-config-value matching.useNewMatcher=true" in command
    assert "--dynamic-config-value matching.enableFairness=true" in command


def test_what_listens_but_is_not_temporal_is_an_error(
    home: Home, listener: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", f"127.0.0.1:{listener}")

    with pytest.raises(StackError, match="cannot be used as Temporal"):
        temporal_server(StackSettings(), home)


def test_processes_get_what_they_need_and_settings_of_the_user_stay(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANALYTICS_DATABASE_URL", "postgresql://db/analytics")
    monkeypatch.setenv("USER_INTERNAL_PORT", "19464")
    mail = Backend(name="mail", where="", environment={"USER_SMTP_URL": "smtp://localhost:1"})

    environment = process_environment(StackSettings(), home, (mail,))

    assert environment["SERVICE_TOKEN"] == home.service_token()
    assert environment["PARTNER_HOME"] == str(home.directory)
    assert environment["USER_DATABASE_URL"] == f"sqlite:///{home.data}/user.sqlite3"
    assert environment["ANALYTICS_DATABASE_URL"] == "postgresql://db/analytics"
    assert environment["USER_VIEWS_URL"] == "http://127.0.0.1:19464"
    assert environment["USER_SMTP_URL"] == "smtp://localhost:1"


def test_second_instance_of_a_worker_has_the_next_port(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USER_INTERNAL_PORT", "19464")
    plan = plan_of(home, StackSettings())

    second = plan.worker(service_named("user"), 2)

    assert second.name == "user-2"
    assert second.environment["USER_INTERNAL_PORT"] == "19465"
    assert second.environment["OTEL_SERVICE_NAME"] == "user"


def test_taken_port_names_the_port_who_wants_it_and_the_setting(home: Home, listener: int) -> None:
    plan = plan_of(home, StackSettings(gateway_port=listener))

    with pytest.raises(StackError, match=rf"port {listener}, which gateway wants, is taken.* set GATEWAY_PORT"):
        check_ports(plan)


def test_two_settings_that_mean_one_port_are_named(home: Home) -> None:
    port = free_port()
    plan = plan_of(home, StackSettings(gateway_port=port, gateway_internal_port=port))

    with pytest.raises(StackError, match=rf"GATEWAY_PORT and GATEWAY_INTERNAL_PORT .* both mean port {port}"):
        check_ports(plan)


def plan_of(home: Home, settings: StackSettings) -> Plan:
    """Return a plan of the gateway alone."""
    backends = (Backend(name="none", where=""),)
    workers = {service.name: 0 for service in SERVICES}
    return Plan(settings=settings, home=home, backends=backends, environment={}, workers=workers)


@pytest.mark.parametrize(("host", "served"), [("127.0.0.1", "true"), ("localhost", "true"), ("0.0.0.0", None)])
def test_the_gateway_serves_its_documentation_to_this_machine(
    home: Home, host: str, served: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GATEWAY_DOCS", raising=False)

    environment = process_environment(StackSettings(gateway_host=host), home, ())

    assert environment.get("GATEWAY_DOCS") == served
