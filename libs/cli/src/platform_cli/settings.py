"""Settings of the local stack, from the environment and `.env`: where things lie and which ports they take."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from platform_cli.services import Service
from platform_runtime.settings import ServiceSettings, load_environment, load_settings

Port = Annotated[int, Field(ge=1, le=65535)]


class StackSettings(BaseSettings):
    """What `partner` reads itself. A field is the variable of the same name in capitals."""

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore")

    partner_home: Path = Path(".partner")
    service_token: str | None = None
    """None: one is made for this PARTNER_HOME."""

    temporal_namespace: Annotated[str, Field(min_length=1)] | None = None
    temporal_task_queue: str | None = None
    """Only for a single worker; the stack refuses it."""
    temporal_ui_port: Port = 8233
    temporal_ui_url: str | None = None

    otel_exporter_otlp_endpoint: str | None = None
    otel_exporter_otlp_protocol: Literal["grpc", "http/protobuf"] = "grpc"
    otel_traces_exporter: str = "otlp"
    otel_sdk_disabled: bool = False
    jaeger_otlp_grpc_port: Port = 4317
    jaeger_otlp_http_port: Port = 4318
    jaeger_ui_port: Port = 16686
    jaeger_ui_url: str | None = None

    user_smtp_url: str | None = None
    mailpit_smtp_port: Port = 1025
    mailpit_ui_port: Port = 8025

    payment_acquirer_url: str | None = None
    acquirer_port: Port = 8090

    gateway_host: str = "127.0.0.1"
    gateway_port: Port = 8000
    gateway_internal_port: Port = 9454

    @property
    def acquirer_url(self) -> str:
        """Where the card acquirer is: the one that is named, else ours."""
        return self.payment_acquirer_url or f"http://127.0.0.1:{self.acquirer_port}"

    @property
    def traces_wanted(self) -> bool:
        """Whether the processes will export traces at all."""
        return not self.otel_sdk_disabled and self.otel_traces_exporter == "otlp"


def stack_settings() -> StackSettings:
    """Read `.env` of the working directory and the environment.

    Raises:
        SystemExit: with code 2, after one line for each wrong value that names its variable.
    """
    load_environment()
    return load_settings(StackSettings)


def internal_address(service: Service) -> tuple[str, int]:
    """Return host and port of a service's instance 1, by `<SERVICE>_INTERNAL_HOST` and `…_PORT`.

    Raises:
        SystemExit: as `stack_settings`.
    """

    class Settings(ServiceSettings):
        model_config = SettingsConfigDict(env_prefix=f"{service.name.upper()}_", env_ignore_empty=True, extra="ignore")

        internal_port: Port = service.internal_port

    settings = load_settings(Settings)
    return settings.internal_host, settings.internal_port
