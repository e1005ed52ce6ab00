"""A docker engine: the one of this machine, or one of our own for as long as the rehearsal lasts."""

import os
import shutil
import subprocess
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from deploy.rehearsal.programs import compose_command
from platform_cli.bound_process import CommandError, bound, run_to_end
from platform_cli.errors import StackError

_ENGINE_STARTS_WITHIN_SECONDS = 30
_ENGINE_STOPS_WITHIN_SECONDS = 60
_ASK_SECONDS = 20


@dataclass(frozen=True)
class Docker:
    """The command line tool `docker` and its compose, with an engine that answers."""

    program: str
    compose_command: tuple[str, ...]
    environment: Mapping[str, str]

    def __call__(self, *arguments: str, within_seconds: float, **variables: str) -> str:
        """Run `docker …` and return what it printed.

        Raises:
            CommandError: it failed, or took longer.
        """
        environment = {**self.environment, **variables}
        return run_to_end([self.program, *arguments], env=environment, timeout_seconds=within_seconds)

    def compose(self, *arguments: str, within_seconds: float, **variables: str) -> str:
        """Run `docker compose …` and return what it printed.

        Raises:
            CommandError: it failed, or took longer.
        """
        environment = {**self.environment, **variables}
        return run_to_end([*self.compose_command, *arguments], env=environment, timeout_seconds=within_seconds)

    def works(self, *arguments: str, within_seconds: float = _ASK_SECONDS) -> bool:
        """Return whether `docker …` ends without an error."""
        try:
            self(*arguments, within_seconds=within_seconds)
        except CommandError:
            return False
        return True


@contextmanager
def docker(scratch: Path) -> Generator[Docker]:
    """Give a docker whose engine answers and that has compose; an engine that was started for it ends with the block.

    Args:
        scratch: an empty directory for the data of such an engine.

    Raises:
        StackError: docker is not there, it has no compose and none can be built, or no engine can run here.
    """
    program = shutil.which("docker")
    if program is None:
        raise StackError("docker is not on PATH: install it (Debian: `apt-get install docker.io`)")
    found = Docker(program, compose_command(), dict(os.environ))
    if found.works("info"):
        yield found
        return
    dockerd = shutil.which("dockerd", path=f"{os.environ.get('PATH', '')}{os.pathsep}/usr/sbin{os.pathsep}/sbin")
    if dockerd is None or os.geteuid() != 0:
        raise StackError("no docker engine answers, and only root with dockerd can start one: start docker")
    with _own_engine(dockerd, scratch) as address:
        yield replace(found, environment={**found.environment, "DOCKER_HOST": address})


@contextmanager
def _own_engine(dockerd: str, scratch: Path) -> Generator[str]:
    data = scratch / "engine"
    data.mkdir()
    address = f"unix://{data}/docker.sock"
    places = ("--data-root", str(data / "data"), "--exec-root", str(data / "exec"), "--pidfile", str(data / "pid"))
    had_bridge = Path("/sys/class/net/docker0").exists()
    with (scratch / "engine.log").open("wb") as log:
        # It dies with this process: a rehearsal that is killed leaves no engine behind.
        engine = subprocess.Popen(
            bound([dockerd, *places, "--host", address]),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + _ENGINE_STARTS_WITHIN_SECONDS
        while not (data / "docker.sock").is_socket():
            if engine.poll() is not None or time.monotonic() > deadline:
                raise StackError(f"dockerd does not start:\n{_end_of(scratch / 'engine.log')}")
            time.sleep(0.1)
        yield address
    finally:
        engine.terminate()
        try:
            engine.wait(_ENGINE_STOPS_WITHIN_SECONDS)
        except subprocess.TimeoutExpired:
            engine.kill()
            engine.wait()
        ip = shutil.which("ip")
        if ip is not None and not had_bridge:
            with suppress(CommandError):
                run_to_end([ip, "link", "delete", "docker0"], timeout_seconds=_ASK_SECONDS)


def _end_of(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-5:])
