"""The images that compose.yaml names: from their registry, or stand-ins where no registry can be reached."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

from deploy.rehearsal.engine import Docker
from deploy.rehearsal.programs import TEMPORAL_SERVER, TEMPORAL_SQL_TOOL, TEMPORAL_UI
from platform_cli.bound_process import run_to_end
from platform_cli.errors import StackError
from platform_cli.tools import jaeger, mailpit, temporal_server
from platform_cli.tools.finder import find_or_get

ROOT = Path(__file__).parents[2]
SUITE = "trixie"
PYTHON = f"partner-stand-in/python:{SUITE}"
DEBIAN = f"partner-stand-in/debian:{SUITE}"

_PULL_SECONDS = 300
_BOOTSTRAP_SECONDS = 600
_BUILD_SECONDS = 900
_PATH = "ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
# The machine's own certificates, where somebody between here and the registries of packages has to be believed.
_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
# The name in compose.yaml without its version, and the stage of our Dockerfile that stands in for it.
_STAGES = {
    "postgres": "postgres",
    "temporalio/server": "temporal",
    "temporalio/admin-tools": "temporal",
    "temporalio/ui": "temporal-ui",
    "axllent/mailpit": "mailpit",
    "jaegertracing/jaeger": "jaeger",
    "prom/prometheus": "prometheus",
}


def named_images() -> set[str]:
    """Return the images that compose.yaml takes from a registry."""
    return set(re.findall(r"^    image: ([\w./-]+:[\w.-]+)$", (ROOT / "compose.yaml").read_text(), re.MULTILINE))


def base_image() -> str:
    """Return what the platform's own image is built on."""
    found = re.search(r"^ARG BASE_IMAGE=(\S+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert found is not None, "the Dockerfile names its base"
    return found[1]


def can_pull(docker: Docker) -> bool:
    """Return whether images can be had from their registry."""
    return docker.works("pull", "--quiet", base_image(), within_seconds=_PULL_SECONDS)


def build_platform(docker: Docker, *, tag: str, base: str) -> None:
    """Build the image of our own processes.

    Raises:
        CommandError: it cannot be built.
    """
    _build(docker, "--build-arg", f"BASE_IMAGE={base}", "--tag", tag, str(ROOT))


def make_stand_ins(docker: Docker, scratch: Path, say: Callable[[str], None]) -> None:
    """Make an image for every name in compose.yaml, and a Python to build ours on.

    Raises:
        StackError: mmdebstrap is not there, or compose.yaml names an image that has no stand-in.
        CommandError: a step failed.
        ToolUnavailableError: a program could not be built.
    """
    if shutil.which("mmdebstrap") is None:
        raise StackError("no image can be pulled, and stand-ins need mmdebstrap: `apt-get install mmdebstrap`")
    unknown = {name for name in named_images() if name.partition(":")[0] not in _STAGES}
    if unknown:
        raise StackError(f"there is no stand-in for {', '.join(sorted(unknown))}: see deploy/rehearsal/Dockerfile")
    context = scratch / "context"
    shutil.copytree(Path(__file__).parent, context, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    programs = context / "programs"
    programs.mkdir()
    for name, path in {
        "temporal": temporal_server.executable(),
        "jaeger": jaeger.executable(),
        "mailpit": mailpit.executable(),
        "temporal-server": find_or_get(TEMPORAL_SERVER),
        "temporal-sql-tool": find_or_get(TEMPORAL_SQL_TOOL),
        "temporal-ui": find_or_get(TEMPORAL_UI),
    }.items():
        shutil.copy(path, programs / name)
    say("Making stand-ins from Debian's packages ...")
    certificates = [
        f"--customize-hook=copy-in {_CERTIFICATES} {_CERTIFICATES.parent}",
        # Debian keeps others from installing with pip and calls its Python by its version.
        '--customize-hook=rm -f "$1"/usr/lib/python3*/EXTERNALLY-MANAGED',
        '--customize-hook=ln -s /usr/bin/python3 "$1"/usr/local/bin/python',
    ]
    _bootstrap(docker, scratch, PYTHON, "ca-certificates,python3,python3-venv,python3-pip", *certificates)
    _bootstrap(docker, scratch, DEBIAN, "postgresql,prometheus,wget,netcat-openbsd,hostname,ca-certificates")
    for name in sorted(named_images()):
        _build(docker, "--target", _STAGES[name.partition(":")[0]], "--tag", name, str(context))


def _bootstrap(docker: Docker, scratch: Path, tag: str, packages: str, *options: str) -> None:
    archive = scratch / "root.tar"
    run_to_end(
        ["mmdebstrap", "--variant=minbase", f"--include={packages}", *options, SUITE, str(archive)],
        timeout_seconds=_BOOTSTRAP_SECONDS,
    )
    changes = [_PATH, f"ENV SSL_CERT_FILE={_CERTIFICATES}", f"ENV PIP_CERT={_CERTIFICATES}"]
    settings = [part for change in changes for part in ("--change", change)]
    docker("import", *settings, str(archive), tag, within_seconds=_BUILD_SECONDS)
    archive.unlink()


def _build(docker: Docker, *arguments: str) -> None:
    # Without its plugin the newer builder refuses to work; the older one does all that our files ask for.
    buildkit = "1" if docker.works("buildx", "version") else "0"
    docker("build", "--quiet", *arguments, within_seconds=_BUILD_SECONDS, DOCKER_BUILDKIT=buildkit)
