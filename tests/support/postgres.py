"""A private PostgreSQL for the tests that need a real one: a server for the session, a database for each test."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from tests import tools
from tests.support.network import free_port

# initdb and start take 2 s here; a loaded machine gets ten times that.
_READY_WITHIN_SECONDS = 20
_STOPPED_WITHIN_SECONDS = 10
# A test's data need not survive a power cut; without this every commit waits for the disk. What is committed does
# survive a kill: it has been handed to the operating system.
_FASTER = ("-c", "fsync=off", "-c", "full_page_writes=off")


@dataclass(frozen=True)
class PostgresServer:
    """A running server, with a superuser that needs no password from this machine."""

    port: int
    kill: Callable[[], None]
    """Kills it with -9, and starts it again on what it has left."""

    def url(self, database: str) -> str:
        """Return the URL of one of its databases."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def execute(self, statement: str) -> None:
        """Execute a statement outside any transaction, in the maintenance database."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())


@pytest.fixture(scope="session")
def postgres_server() -> Generator[PostgresServer]:
    """Start a private server on a random port; skips when PostgreSQL is not installed."""
    programs = tools.require("postgresql").parent
    with _running_server(programs) as server:
        yield server


@pytest.fixture
def mortal_postgres() -> Generator[PostgresServer]:
    """Start a server for one test, which may kill it; skips when PostgreSQL is not installed."""
    with _running_server(tools.require("postgresql").parent) as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Generator[str]:
    """Make an empty database for one test and give its URL; it is dropped afterwards, whoever is still connected."""
    name = f"test_{uuid4().hex[:12]}"
    postgres_server.execute(f"CREATE DATABASE {name}")
    yield postgres_server.url(name)
    postgres_server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def _running_server(programs: Path) -> Generator[PostgresServer]:
    # Not pytest's own temporary directory: that one is closed to other accounts.
    directory = Path(tempfile.mkdtemp(prefix="partner-pg-"))
    account = _unprivileged_account()
    if account is not None:
        os.chown(directory, account.pw_uid, account.pw_gid)

    def start(*command: str) -> subprocess.Popen[bytes]:
        with (directory / "log").open("ab") as log:
            return subprocess.Popen(
                command,
                # The current directory may be closed to the account.
                cwd=directory,
                stdout=log,
                stderr=log,
                user=account and account.pw_uid,
                group=account and account.pw_gid,
                extra_groups=account and [],
            )

    try:
        data = ("-D", str(directory / "data"))
        initdb = start(
            str(programs / "initdb"), *data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"
        )
        if initdb.wait(_READY_WITHIN_SECONDS) != 0:
            pytest.fail(f"initdb failed:\n{(directory / 'log').read_text()}", pytrace=False)
        port = free_port()
        address = ("-k", str(directory), "-h", "127.0.0.1", "-p", str(port))
        running = [start(str(programs / "postgres"), *data, *address, *_FASTER)]

        def kill() -> None:
            running[0].kill()
            running[0].wait()
            deadline = time.monotonic() + _READY_WITHIN_SECONDS
            # The killed one's children hold its memory until they have noticed, and another one refuses to start.
            while True:
                running[0] = start(str(programs / "postgres"), *data, *address, *_FASTER)
                if _gets_ready(server, running[0]) or time.monotonic() > deadline:
                    return

        server = PostgresServer(port, kill)
        try:
            _wait_until_ready(server, running[0], directory / "log")
            yield server
        finally:
            _stop(running[0])
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _unprivileged_account() -> pwd.struct_passwd | None:
    """Return who runs the server; None for the current account. PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    known = {account.pw_name: account for account in pwd.getpwall()}
    return known.get("postgres") or known["nobody"]


def _wait_until_ready(server: PostgresServer, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _READY_WITHIN_SECONDS
    while True:
        try:
            server.execute("SELECT 1")
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"PostgreSQL did not get ready:\n{log.read_text()}", pytrace=False)
            time.sleep(0.05)
        else:
            return


def _gets_ready(server: PostgresServer, process: subprocess.Popen[bytes]) -> bool:
    """Return whether the server answers; False once its process has ended."""
    while process.poll() is None:
        try:
            server.execute("SELECT 1")
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return True
    return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    # A fast shutdown: sessions are ended, not waited for.
    process.send_signal(signal.SIGINT)
    try:
        process.wait(_STOPPED_WITHIN_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
