"""Jaeger v2, the trace backend of the local stack.

`executable()` finds it: PARTNER_JAEGER_BIN, `jaeger` on PATH, the cache, a build from its Go module, in this order.
A build has the whole OTLP and query API; its web page is a placeholder, the released binary has the real one.
"""

from pathlib import Path

from platform_cli.tools.finder import Tool, find_or_get
from platform_cli.tools.go_build import GoModule

VERSION = "1.76.0"


def executable() -> Path:
    """Return the `jaeger` binary, building it the first time (one to three minutes).

    Raises:
        ToolUnavailableError: no way led to it; the text says what to install.
    """
    return find_or_get(TOOL)


TOOL = Tool(
    name="jaeger",
    version=VERSION,
    override_variable="PARTNER_JAEGER_BIN",
    version_arguments=("version",),
    advice="a release from https://www.jaegertracing.io/download, or install Go 1.25 or newer",
    recipe=GoModule(
        module="github.com/jaegertracing/jaeger",
        version=f"v{VERSION}",
        checksum="h1:sWCOOF1dr+NL0PLil7mFo3BqqQL8k4WiM7aguFbc14g=",
        go_mod_checksum="h1:hqcuJlLDTv7G2x5eFd/BhwcPdLxj3N+90aKhIzdOcKo=",
        package="github.com/jaegertracing/jaeger/cmd/jaeger",
        ldflags=f"-s -w -X github.com/jaegertracing/jaeger/internal/version.latestVersion=v{VERSION}",
        # Jaeger's own go.mod has this line, and a replacement counts only in the module that is built.
        replacements=("github.com/Shopify/sarama => github.com/Shopify/sarama v1.33.0",),
    ),
)
