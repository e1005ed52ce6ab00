"""Programs that only compose.yaml needs: docker's compose, and the Temporal server that an image would have brought."""

import shutil

from platform_cli.bound_process import CommandError, run_to_end
from platform_cli.tools.finder import Tool, find, find_or_get
from platform_cli.tools.go_build import GoModule

_SERVER_VERSION = "1.32.0"
_UI_VERSION = "2.42.1"
_COMPOSE_VERSION = "5.6.0"
_ASK_SECONDS = 20


def compose_command() -> tuple[str, ...]:
    """Return the command that is compose: a plugin named or built before, docker's own, or one that is built now.

    A build takes one to three minutes, once; no engine is asked.

    Raises:
        ToolUnavailableError: no way led to it; the text says what to install.
    """
    plugin = find(COMPOSE_PLUGIN)
    docker = shutil.which("docker")
    if plugin is None and docker is not None:
        try:
            run_to_end([docker, "compose", "version"], timeout_seconds=_ASK_SECONDS)
        except CommandError:
            pass
        else:
            return docker, "compose"
    return (str(plugin or find_or_get(COMPOSE_PLUGIN)),)


def _of_the_server(name: str, *, override_variable: str, package: str) -> Tool:
    """Return one of the programs in the server's module."""
    return Tool(
        name=name,
        version=_SERVER_VERSION,
        override_variable=override_variable,
        version_arguments=("--version",),
        advice="Go 1.26.8 or newer",
        recipe=GoModule(
            module="go.temporal.io/server",
            version=f"v{_SERVER_VERSION}",
            checksum="h1:JQoqsVREaGc8vcuDNfuRlySiV3tVi81XUOVC9LeL/1Y=",
            go_mod_checksum="h1:SuxEWp1bDjSB7kHtUjyaUJBh7Qjyv5wB8lCrS0VFSvw=",
            package=f"go.temporal.io/server/{package}",
            ldflags="-s -w",
            minimum_go=(1, 26, 8),
        ),
    )


TEMPORAL_SERVER = _of_the_server(
    "temporal-server", override_variable="PARTNER_TEMPORAL_SERVER_BIN", package="cmd/server"
)

TEMPORAL_SQL_TOOL = _of_the_server(
    "temporal-sql-tool", override_variable="PARTNER_TEMPORAL_SQL_TOOL_BIN", package="cmd/tools/sql"
)

TEMPORAL_UI = Tool(
    name="temporal-ui-server",
    version=_UI_VERSION,
    override_variable="PARTNER_TEMPORAL_UI_BIN",
    version_arguments=("--version",),
    advice="Go 1.25 or newer",
    recipe=GoModule(
        module="github.com/temporalio/ui-server/v2",
        version=f"v{_UI_VERSION}",
        checksum="h1:ajeOxqCnUiCRQQhQYLxaT7wUgF/slqZJtdW4pLjVqCs=",
        go_mod_checksum="h1:lKTnn50t8yQvcrarxAOjX33YcfkomkiNB5BH06wQwEE=",
        package="github.com/temporalio/ui-server/v2/cmd/server",
        ldflags="-s -w",
    ),
)

COMPOSE_PLUGIN = Tool(
    # Not `docker-compose`: on many machines that is the first version, which cannot read compose.yaml.
    name="docker-compose-plugin",
    version=_COMPOSE_VERSION,
    override_variable="PARTNER_COMPOSE_BIN",
    version_arguments=("version",),
    advice="`apt-get install docker-compose-plugin` (Docker's packages), `brew install docker-compose`, or install Go "
    "1.26.8 or newer",
    recipe=GoModule(
        module="github.com/docker/compose/v5",
        version=f"v{_COMPOSE_VERSION}",
        checksum="h1:WCDEV0D1CtZLyPdklHdEjFBnCStosBYkfsD3tvM/ITU=",
        go_mod_checksum="h1:NLnbMzshDO3QlhgzMxd9sm981O1yLjPybL1WGStUesI=",
        package="github.com/docker/compose/v5/cmd",
        ldflags=f"-s -w -X github.com/docker/compose/v5/internal.Version=v{_COMPOSE_VERSION}",
        exclusions=(
            "github.com/davecgh/go-spew v1.1.2-0.20180830191138-d8f796af33cc",
            "github.com/pmezard/go-difflib v1.0.1-0.20181226105442-5d4384ee4fb2",
        ),
        minimum_go=(1, 26, 8),
    ),
)
