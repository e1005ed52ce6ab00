"""The per-user cache of tools: where a binary lies, and who may put one there."""

import fcntl
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from platform_cli.errors import ToolUnavailableError

_LOCK_POLL_SECONDS = 0.2
# Longer than the slowest build we allow, so that the second process meets a result and not an error.
_LOCK_TIMEOUT_SECONDS = 45 * 60


def cache_directory() -> Path:
    """Return the directory of `PARTNER_CACHE`, or the user's cache directory; it need not exist yet."""
    named = os.environ.get("PARTNER_CACHE", "").strip()
    if named:
        return Path(named).expanduser().absolute()
    if sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "partner-platform"


def cached_binary(name: str, version: str) -> Path:
    """Return where the binary of this version and this kind of machine lies once it is there."""
    return cache_directory() / "bin" / f"{name}-{version}-{platform.system().lower()}-{platform.machine().lower()}"


def is_executable(path: Path) -> bool:
    """Return whether there is a file that this user may execute."""
    return path.is_file() and os.access(path, os.X_OK)


@contextmanager
def exclusive(name: str, *, on_wait: Callable[[], None]) -> Generator[None]:
    """Hold the lock of one tool, so that two processes never fetch or build it at the same time.

    `on_wait` is called once if another process holds it. The lock dies with its holder.

    Raises:
        ToolUnavailableError: the other process held it for longer than any build takes.
    """
    path = cache_directory() / "locks" / f"{name}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + _LOCK_TIMEOUT_SECONDS
    waiting = False
    with path.open("w") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise ToolUnavailableError(
                        f"another process has been getting {name} for too long: end it, or remove {path}"
                    ) from None
                if not waiting:
                    waiting = True
                    on_wait()
                time.sleep(_LOCK_POLL_SECONDS)
        yield


@contextmanager
def build_directory(name: str) -> Generator[Path]:
    """Give an empty directory in the cache for one build and remove it afterwards, gigabytes of caches included.

    Call it with the tool's lock held: what a killed build left behind is removed first.
    """
    parent = cache_directory() / "build"
    parent.mkdir(parents=True, exist_ok=True)
    for left_over in parent.glob(f"{name}-*"):
        shutil.rmtree(left_over, ignore_errors=True)
    directory = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=parent))
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def store(built: Path, destination: Path) -> None:
    """Move a finished binary into the cache in one step, so that nobody ever finds half of one."""
    destination.parent.mkdir(parents=True, exist_ok=True)
    built.chmod(0o755)
    built.replace(destination)
