"""Programs that only a rehearsal needs: docker's compose, and the Temporal server that an image would have brought."""

from platform_cli.tools.finder import Tool
from platform_cli.tools.go_build import GoModule

_SERVER_VERSION = "1.32.0"
_SERVER_CHECKSUM = "h1:JQoqsVREaGc8vcuDNfuRlySiV3tVi81XUOVC9LeL/1Y="
_SERVER_GO_MOD_CHECKSUM = "h1:SuxEWp1bDjSB7kHtUjyaUJBh7Qjyv5wB8lCrS0VFSvw="
_UI_VERSION = "2.42.1"
_COMPOSE_VERSION = "5.6.0"

TEMPORAL_SERVER = Tool(
    name="temporal-server",
    version=_SERVER_VERSION,
    override_variable="PARTNER_TEMPORAL_SERVER_BIN",
    version_arguments=("--version",),
    advice="Go 1.26.8 or newer",
    recipe=GoModule(
        module="go.temporal.io/server",
        version=f"v{_SERVER_VERSION}",
        checksum=_SERVER_CHECKSUM,
        go_mod_checksum=_SERVER_GO_MOD_CHECKSUM,
        package="go.temporal.io/server/cmd/server",
        ldflags="-s -w",
    ),
)

TEMPORAL_SQL_TOOL = Tool(
    name="temporal-sql-tool",
    version=_SERVER_VERSION,
    override_variable="PARTNER_TEMPORAL_SQL_TOOL_BIN",
    version_arguments=("--version",),
    advice="Go 1.26.8 or newer",
    recipe=GoModule(
        module="go.temporal.io/server",
        version=f"v{_SERVER_VERSION}",
        checksum=_SERVER_CHECKSUM,
        go_mod_checksum=_SERVER_GO_MOD_CHECKSUM,
        package="go.temporal.io/server/cmd/tools/sql",
        ldflags="-s -w",
    ),
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
    advice="the package docker-compose-plugin of Docker, or Go 1.26.8 or newer",
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
    ),
)
