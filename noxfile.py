"""The tasks of this repository: `python3 noxfile.py NAME`, or `nox -s NAME` where nox is installed.

Run as a script it needs only Python and git: it brings in uv by itself, makes `.venv` from requirements.lock, and hands
over to the nox in there. What follows the name goes to the task: `python3 noxfile.py tests -k onboarding`.
"""

import sys

# Above everything else, so that an older Python gets this line and not an import error; for the same reason the syntax
# of this file is that of Python 3.6.
if sys.version_info < (3, 11):  # noqa: UP036
    sys.exit(f"This project needs Python 3.11 or newer; this is {sys.version.split()[0]} ({sys.executable}).")
if sys.platform == "win32":
    sys.exit("This project runs on Linux and macOS; on Windows run the same command inside WSL.")

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Generator
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
LOCK = ROOT / "requirements.lock"
STAMP = VENV / "made-from"
# The interpreter itself, also when this runs inside an environment (nox's own, or `.venv`): an environment made from
# another one breaks when that one goes.
PYTHON = str(Path(getattr(sys, "_base_executable", sys.executable)).resolve())


def main(arguments: list[str]) -> int:
    """Run one task in the locked environment, or list them all; returns the exit code of nox."""
    make_environment()
    if not arguments:
        options = ["--list"]
    elif arguments[0].startswith("-"):
        options = arguments
    else:
        options = ["--session", arguments[0], "--", *arguments[1:]]
    command = [str(VENV / "bin" / "python"), "-m", "nox", "--noxfile", str(ROOT / "noxfile.py"), *options]
    os.chdir(ROOT)
    # In the place of this process, so that Ctrl-C and SIGTERM reach the task and nothing else.
    os.execv(command[0], command)  # noqa: S606 - no shell is wanted


def make_environment() -> None:
    """Make `.venv` hold exactly what requirements.lock says, and the members; does nothing when it already does.

    Two tasks started together are safe: the second waits for the first, and finds its work done.

    Raises:
        SystemExit: with one line that says what to install, when the machine lacks something.
    """
    stamp = _environment_stamp()
    if _stamp_on_disk() == stamp:
        return
    with _only_one_at_a_time("environment"):
        if _stamp_on_disk() == stamp:
            return
        print(f"Making {VENV.relative_to(ROOT)} from {LOCK.name} ...", flush=True)
        uv = find_uv()
        STAMP.unlink(missing_ok=True)
        python = VENV / "bin" / "python"
        if _python_version(python) != sys.version:
            run_uv(uv, "venv", "--quiet", "--clear", "--python", PYTHON, str(VENV))
        into = ("--quiet", "--python", str(python))
        # Compiled once, here: where Python may not keep what it compiled, each of the many processes of a stack would.
        run_uv(uv, "pip", "sync", *into, "--compile-bytecode", "--require-hashes", str(LOCK))
        editables = [argument for member in member_directories() for argument in ("--editable", str(member))]
        # The lock has all they need and all that builds them; so nothing enters that has no hash.
        run_uv(uv, "pip", "install", *into, "--no-deps", "--no-build-isolation", *editables)
        STAMP.write_text(stamp)


def member_directories() -> list[Path]:
    """Return the directory of each package of the workspace, in a fixed order."""
    patterns = ("libs/*/pyproject.toml", "services/*/pyproject.toml", "gateway/pyproject.toml")
    return sorted(path.parent for pattern in patterns for path in ROOT.glob(pattern))


def find_uv() -> str:
    """Return the uv of this machine, or else one of our own, installed once per user as requirements.lock pins it.

    Raises:
        SystemExit: with one line, when Python cannot make environments.
    """
    found = shutil.which("uv")
    if found:
        return found
    requirement = _locked("uv")
    key = hashlib.sha256(f"{sys.version} {PYTHON} {requirement}".encode()).hexdigest()[:12]
    environment = _cache_directory() / f"uv-{key}"
    uv = environment / "bin" / "uv"
    with _only_one_at_a_time("uv"):
        if not uv.exists():
            _install_uv(environment, requirement)
    return str(uv)


def run_uv(uv: str, *arguments: str) -> None:
    """Run uv in this repository and stop with its exit code when it fails; its own output says why."""
    # The certificates of the system, so that it works wherever git and pip do. Only this Python: never download one.
    environment = {"UV_SYSTEM_CERTS": "1", "UV_PYTHON_DOWNLOADS": "never", **os.environ}
    # An activated environment is not the one to change.
    environment.pop("VIRTUAL_ENV", None)
    finished = subprocess.run([uv, *arguments], cwd=ROOT, env=environment, check=False)
    if finished.returncode != 0:
        sys.exit(finished.returncode)


def _install_uv(environment: Path, requirement: str) -> None:
    if importlib.util.find_spec("ensurepip") is None:
        package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
        sys.exit(f"This Python cannot make environments: install the package python3-venv (Debian: {package}), or uv.")
    print("Getting uv, once for this user ...", flush=True)
    subprocess.run([PYTHON, "-m", "venv", "--clear", str(environment)], check=True)
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as requirements:
        requirements.write(requirement)
        requirements.flush()
        pip = [str(environment / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        finished = subprocess.run([*pip, "--require-hashes", "-r", requirements.name], check=False)
    if finished.returncode != 0:
        sys.exit("uv could not be installed: see the lines above.")


def _locked(name: str) -> str:
    """Return what requirements.lock says of one package: the version and the hashes."""
    found = re.search(rf"^{name}==\S+(?: \\\n    --hash=\S+)+", LOCK.read_text(), re.MULTILINE)
    if not found:
        sys.exit(f"{LOCK.name} does not name {name}.")
    return found.group() + "\n"


def _environment_stamp() -> str:
    inputs = [LOCK, *(member / "pyproject.toml" for member in member_directories())]
    contents = b"\0".join(path.read_bytes() for path in inputs)
    # The place too: an environment that was moved or copied points back to where it was made.
    return hashlib.sha256(contents + f"{sys.version} {PYTHON} {ROOT}".encode()).hexdigest()


def _stamp_on_disk() -> str | None:
    try:
        return STAMP.read_text()
    except FileNotFoundError:
        return None


def _python_version(python: Path) -> str | None:
    """Return what `sys.version` is in an environment; None when there is no working one."""
    try:
        command = [str(python), "-c", "import sys; print(sys.version)"]
        asked = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return None
    return asked.stdout.removesuffix("\n") if asked.returncode == 0 else None


def _cache_directory() -> Path:
    """Return where what belongs to the user and to no checkout is kept."""
    chosen = os.environ.get("PARTNER_CACHE")
    if chosen:
        return Path(chosen)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "partner-platform"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "partner-platform"


@contextlib.contextmanager
def _only_one_at_a_time(what: str) -> Generator[None]:
    _cache_directory().mkdir(parents=True, exist_ok=True)
    with (_cache_directory() / f"{what}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

# From here on this is an ordinary noxfile.
import nox

nox.needs_version = ">=2024.10.9"
nox.options.default_venv_backend = "none"
nox.options.sessions = []

CHECKS = (
    ("ruff", "check", "--quiet", "--output-format", "concise", "."),
    ("ruff", "format", "--check", "--quiet", "."),
    ("basedpyright",),
    ("lint-imports",),
)

# Most tests wait for other processes; a file stays in one process, with what its tests share.
SIDE_BY_SIDE = ("--numprocesses", "3", "--dist", "loadfile")


def run(session: nox.Session, command: str, *arguments: str) -> None:
    """Run a command of `.venv`."""
    path = str(VENV / "bin" / command)
    # On Ctrl-C nox gives a command 0.3 s; what runs here has processes to stop and says itself when it is done.
    session.run(path, *arguments, env=_environment(), external=True, interrupt_timeout=60, terminate_timeout=10)


def _environment() -> "dict[str, str]":
    """Return this process's environment with `.venv/bin` first on the path, for whatever a command starts."""
    path = f"{VENV / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    return {**os.environ, "PATH": path, "VIRTUAL_ENV": str(VENV)}


@nox.session
def setup(session: nox.Session) -> None:
    """Make `.venv` with everything in it, `.venv/bin/partner` included."""
    make_environment()
    session.log(f"Ready: {VENV / 'bin' / 'partner'} --help")


@nox.session
def up(session: nox.Session) -> None:
    """Start the local stack and stay with it: Temporal, Jaeger, mailpit, the workers and the gateway."""
    make_environment()
    partner = str(VENV / "bin" / "partner")
    # In the place of nox: every signal reaches the supervisor, and it has all the time it needs to stop the stack.
    os.execve(partner, [partner, "up", *session.posargs], _environment())  # noqa: S606 - no shell is wanted


@nox.session
def demo(session: nox.Session) -> None:
    """Onboard and notify a user through the real stack, and show what happened."""
    make_environment()
    run(session, "partner", "demo", *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """Run every check and every test; with arguments, only pytest with them."""
    make_environment()
    if not session.posargs:
        lint(session)
    run(session, "python", "-m", "pytest", *(session.posargs or SIDE_BY_SIDE))


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, types and import walls; `ruff check --fix` and `ruff format` mend most of the style."""
    make_environment()
    for check in CHECKS:
        run(session, *check)


@nox.session
def regenerate(session: nox.Session) -> None:
    """Write the golden files (schemas, histories) anew; read their diff before you commit it."""
    make_environment()
    run(session, "python", "-m", "pytest", "tests/contracts", "tests/replay", "--regenerate", *session.posargs)


@nox.session
def api(session: nox.Session) -> None:
    """Fuzz the API by its own document, ten times as long as `tests` does, on a stack of its own."""
    make_environment()
    more = {"API_FUZZ_EXAMPLES": "100", "API_FUZZ_WITHIN_SECONDS": "3000"}
    os.environ.update({name: os.environ.get(name, value) for name, value in more.items()})
    run(session, "python", "-m", "pytest", "-s", "tests/e2e/test_api_fuzzing.py", *session.posargs)


@nox.session
def compose(session: nox.Session) -> None:
    """Bring compose.yaml up with docker, run the demo against it, take it down, and check what only its server can."""
    make_environment()
    run(session, "python", "-m", "deploy.rehearsal", *session.posargs)
    run(session, "python", "-m", "pytest", "deploy/rehearsal/checks")


@nox.session
def bench(session: nox.Session) -> None:
    """Measure the platform against the SDK alone, on a stack of its own; benchmarks/README.md says what it means."""
    make_environment()
    run(session, "python", "-m", "benchmarks", *session.posargs)


@nox.session
def scale(session: nox.Session) -> None:
    """Measure how the domains keep out of each other's way, and what 1, 2 and 4 workers of one bring."""
    make_environment()
    run(session, "python", "-m", "benchmarks.scale", *session.posargs)


@nox.session
def lock(session: nox.Session) -> None:
    """Make requirements.lock anew; versions move only of packages named behind `--`, or all with `-- --upgrade`."""
    make_environment()
    uv = str(VENV / "bin" / "uv")
    # uv.lock is not in the repository; what is there may be older than requirements.lock.
    (ROOT / "uv.lock").unlink(missing_ok=True)
    if "--upgrade" not in session.posargs:
        _lock_with_the_versions_of_now(uv, free=set(session.posargs))
    run_uv(uv, "lock", "--quiet")
    arguments = ("--no-emit-workspace", "--all-packages", "--no-header", "--quiet")
    run_uv(uv, "export", *arguments, "--output-file", str(LOCK))
    if "://" in LOCK.read_text():
        session.error(f"{LOCK.name} names an address; it has to work with any index.")
    make_environment()


def _lock_with_the_versions_of_now(uv: str, free: "set[str]") -> None:
    """Make uv.lock with the versions that requirements.lock has; fails when a member asks for others."""
    # With its marker: one package may be there in two versions, each for some of the Pythons.
    pins = re.findall(r"^([\w.-]+)(==\S+(?: ; [^\\\n]+)?)", LOCK.read_text(), re.MULTILINE)
    kept = ", ".join(f'"{name}{version.strip()}"' for name, version in pins if name not in free)
    with tempfile.TemporaryDirectory() as scratch:
        for member in [ROOT, *member_directories()]:
            copy = Path(scratch) / member.relative_to(ROOT) / "pyproject.toml"
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text((member / "pyproject.toml").read_text())
        root = Path(scratch) / "pyproject.toml"
        root.write_text(root.read_text().replace("[tool.uv]\n", f"[tool.uv]\nconstraint-dependencies = [{kept}]\n"))
        run_uv(uv, "lock", "--quiet", "--project", scratch)
        shutil.copy(Path(scratch) / "uv.lock", ROOT / "uv.lock")
