"""Finds a tool of the local stack, or gets it: override, PATH, cache, download, build; else one clear error."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from platform_cli.bound_process import CommandError, run_to_end
from platform_cli.errors import ToolUnavailableError
from platform_cli.tools import go_build
from platform_cli.tools.cache import build_directory, cached_binary, exclusive, is_executable, store
from platform_cli.tools.progress import showing

_CHECK_TIMEOUT_SECONDS = 30

Report = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Tool:
    """How one tool is found and obtained.

    `download` puts the binary into the given directory and returns it, or raises `CommandError`; None means that
    there is nothing to download. `advice` completes "install it: …".
    """

    name: str
    version: str
    override_variable: str
    version_arguments: tuple[str, ...]
    recipe: go_build.GoModule
    advice: str
    download: Callable[[Path, Report], Path] | None = None


def find(tool: Tool) -> Path | None:
    """Return the tool's binary if this machine has it, None if it would have to be fetched or built.

    Raises:
        ToolUnavailableError: the override variable names something that cannot be executed.
    """
    override = os.environ.get(tool.override_variable, "").strip()
    if override:
        path = Path(override).expanduser().absolute()
        if not is_executable(path):
            raise ToolUnavailableError(f"{tool.override_variable}={override} is not an executable file")
        return path
    on_path = shutil.which(tool.name)
    if on_path is not None:
        return Path(on_path)
    cached = cached_binary(tool.name, tool.version)
    return cached if is_executable(cached) else None


def find_or_get(tool: Tool) -> Path:
    """Return the tool's binary, fetching or building it into the cache if need be; progress goes to standard error.

    A repeat finds the binary in the cache. Two processes at once: one works, the other waits for its result.

    Raises:
        ToolUnavailableError: no way led to the tool; the text says what was tried and what to install.
    """
    found = find(tool)
    if found is not None:
        return found
    destination = cached_binary(tool.name, tool.version)
    try:
        with exclusive(f"{tool.name}-{tool.version}", on_wait=lambda: _say_waiting(tool)):
            if not is_executable(destination):
                _get(tool, destination)
    except OSError as error:
        raise ToolUnavailableError(
            f"{tool.name} cannot be put into the cache ({error}): set PARTNER_CACHE to a directory you may write to"
        ) from error
    return destination


def _get(tool: Tool, destination: Path) -> None:
    tried: list[str] = []
    ways: list[tuple[str, Callable[[Path, Report], Path]]] = []
    if tool.download is not None:
        ways.append(("downloading", tool.download))
    ways.append(("building", lambda directory, report: go_build.build(tool.recipe, directory, report=report)))
    for verb, way in ways:
        try:
            with showing(f"{verb} {tool.name} {tool.version}") as report, build_directory(tool.name) as directory:
                binary = way(directory, report)
                binary.chmod(0o755)
                run_to_end([str(binary), *tool.version_arguments], timeout_seconds=_CHECK_TIMEOUT_SECONDS)
                store(binary, destination)
                report("removing what only the build needed")
        except CommandError as failure:
            tried.append(f"{verb} it failed: {_one_line(failure)}")
        else:
            return
    raise ToolUnavailableError(
        f"{tool.name} is not on PATH, and {'; '.join(tried)}. Install it: {tool.advice}; or name a binary in "
        f"{tool.override_variable}"
    )


def _say_waiting(tool: Tool) -> None:
    with showing(f"waiting for another process that gets {tool.name} {tool.version}"):
        pass


def _one_line(failure: CommandError) -> str:
    last = failure.output[-1].strip() if failure.output else ""
    return f"{failure.reason}: {last}" if last else failure.reason
