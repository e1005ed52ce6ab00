"""Settings of every process, read once at start from the environment and from `.env`."""

import os
import sys
from pathlib import Path
from typing import Annotated, Final, TypeVar

from dotenv import load_dotenv
from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

SettingsT = TypeVar("SettingsT", bound=BaseSettings)

BAD_SETTINGS_EXIT_CODE: Final = 2
"""What a process exits with when a setting is wrong: restarting it will not help."""


def load_environment(directory: Path | None = None) -> None:
    """Add what `.env` in the directory (default: the working directory) says to the environment.

    It goes into the environment itself, not only into our settings, because the Temporal SDK and OpenTelemetry read
    their variables from there. A variable that is set already wins.
    """
    load_dotenv((directory or Path.cwd()) / ".env", override=False)


def load_settings(settings_type: type[SettingsT]) -> SettingsT:
    """Read settings from the environment, and what it leaves out from the files in SECRETS_DIRECTORY, if that is set.

    Such a file is named like its variable in lower case (`user_database_url`), as Docker and Kubernetes mount secrets:
    nobody who may look at a container's environment sees them.

    Raises:
        SystemExit: with code 2, after one line for each wrong value that names its variable.
    """
    directory = os.environ.get("SECRETS_DIRECTORY", "")
    try:
        # An image names the directory for every container, also for one that has no secrets.
        return settings_type(_secrets_dir=directory if Path(directory).is_dir() and directory else None)
    except ValidationError as error:
        for problem in error.errors(include_url=False, include_input=False):
            sys.stderr.write(f"{_variable(settings_type, problem['loc'])}: {problem['msg']}\n")
        raise SystemExit(BAD_SETTINGS_EXIT_CODE) from None


def _variable(settings_type: type[BaseSettings], location: tuple[int | str, ...]) -> str:
    name = str(location[0]) if location else ""
    # pydantic names a field by its alias where it has one, and our aliases are the variables themselves.
    if any(field.validation_alias == name for field in settings_type.model_fields.values()):
        return name
    return f"{settings_type.model_config.get('env_prefix', '')}{name}".upper()


class TemporalSettings(BaseSettings):
    """How a process uses Temporal. Where Temporal is, the SDK's own environment configuration says as well."""

    model_config = SettingsConfigDict(env_prefix="TEMPORAL_", env_ignore_empty=True, extra="ignore")

    address: Annotated[str, Field(pattern=r"^[^\s:/]+:\d{1,5}$|^\[[0-9A-Fa-f:]+\]:\d{1,5}$")] | None = None
    """`host:port`; None: what the SDK's profile file says, else localhost:7233."""
    namespace: Annotated[str, Field(min_length=1)] | None = None
    """None: what the SDK's profile file says, else `default`."""
    task_queue: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,100}$")] | None = None
    """Which queue a single worker process polls; None: its domain's own."""
    max_concurrent_activities: Annotated[int, Field(ge=1, le=10_000)] = 100
    max_concurrent_workflows: Annotated[int, Field(ge=2, le=10_000)] = 100
    """The SDK's concurrent workflow *tasks*: a workflow that waits takes no part of it. The SDK needs 2."""
    max_cached_workflows: Annotated[int, Field(ge=0, le=100_000)] = 1000
    """How many workflows a worker keeps in memory; 0 replays each of them at every step."""
    tls: Annotated[str, Field(pattern=r"(?i)^(true|false|1|0)$")] | None = None
    """Read by the SDK, which takes everything but `0` and `false` for yes; so `no` and `off` are refused here."""


class LogSettings(BaseSettings):
    """How a process writes its log."""

    model_config = SettingsConfigDict(env_prefix="LOG_", env_ignore_empty=True, extra="ignore")

    level: Annotated[str, Field(pattern=r"^(DEBUG|INFO|WARNING|ERROR)$")] = "INFO"
    format: Annotated[str, Field(pattern=r"^(auto|json|pretty)$")] = "auto"
    """auto: pretty on a terminal, else JSON."""


def parse_delays(text: str) -> dict[str, float]:
    """Return seconds by activity type from `user.send_email=1,*=0.3`.

    Raises:
        ValueError: when a part is not `type=seconds`.
    """
    delays: dict[str, float] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        activity_type, separator, seconds = part.partition("=")
        try:
            delays[activity_type.strip()] = float(seconds)
        except ValueError:
            separator = ""
        if not separator or delays[activity_type.strip()] < 0:
            raise ValueError(f"{part!r} is not `activity type=seconds`")
    return delays


def _checked_delays(text: str) -> str:
    parse_delays(text)
    return text


class DrillSettings(BaseSettings):
    """Faults on purpose, for drills and tests; all off by default."""

    model_config = SettingsConfigDict(env_prefix="DRILL_", env_ignore_empty=True, extra="ignore")

    activity_delay_seconds: Annotated[str, AfterValidator(_checked_delays)] = ""
    """How long to sleep before each activity: `user.send_email=1,*=0.3`."""


class InternalSettings(BaseSettings):
    """What the services of one platform share."""

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore")

    service_token: SecretStr | None = None
    """The secret that the gateway reads the services' views with; None: views answer 503."""
    partner_home: Path = Path(".partner")
    """Where data and logs of a local installation are."""


class ServiceSettings(BaseSettings):
    """What every service has; a service's own class sets the prefix of the variables."""

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore")

    database_url: Annotated[str, Field(pattern=r"^(sqlite:///.+|postgres(ql)?(\+psycopg)?://.+)$")] | None = None
    """`sqlite:///path` or `postgresql://…`; None: a SQLite file named after the service under PARTNER_HOME/data."""
    owner_database_url: Annotated[str, Field(pattern=r"^postgres(ql)?(\+psycopg)?://.+$")] | None = None
    """The same PostgreSQL database for the role that owns the tables. Only `prepare` uses it: it migrates as the owner
    and grants the role of DATABASE_URL what a worker needs. None: one role owns the tables and works on them."""
    internal_host: str = "127.0.0.1"
    internal_port: Annotated[int, Field(ge=0, le=65535)]
    """Health, metrics and views. 0 takes any free port."""
    shutdown_seconds: Annotated[float, Field(ge=0, le=600)] = 10
    """How long running activities may go on after SIGTERM. The container's stop grace has to be longer."""
