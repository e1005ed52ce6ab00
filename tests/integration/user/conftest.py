"""A database of the user service for each test, on SQLite and again on PostgreSQL, and a real mail server."""

import subprocess
from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import httpx
import pytest

from platform_cli.errors import ToolUnavailableError
from platform_cli.tools import mailpit as mailpit_tool
from platform_runtime.database import Database
from platform_runtime.migrations import migrate
from tests import tools
from tests.integration.user.samples import MIGRATIONS, Mailpit
from tests.support.network import free_port
from tests.support.waiting import eventually

_EXECUTABLE = pytest.StashKey[Path | ToolUnavailableError]()
_READY_WITHIN_SECONDS = 20


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of a database without tables."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres_url"))
    return f"sqlite:///{tmp_path}/user.sqlite3"


@pytest.fixture
def database_url(empty_database_url: str) -> str:
    """Return the URL of a database with the schema of the user service."""
    migrate(empty_database_url, MIGRATIONS)
    return empty_database_url


@pytest.fixture
async def database(database_url: str) -> AsyncGenerator[Database]:
    """Return that database, opened."""
    async with Database.opened(database_url) as database:
        yield database


def pytest_collection_finish(session: pytest.Session) -> None:
    """Get the mail server before the first test that needs it: to build it takes longer than a test may."""
    needed = any("mailpit_server" in item.fixturenames for item in session.items if isinstance(item, pytest.Function))
    if needed and not session.config.option.collectonly:
        try:
            session.config.stash[_EXECUTABLE] = mailpit_tool.executable()
        except ToolUnavailableError as unavailable:
            session.config.stash[_EXECUTABLE] = unavailable


@pytest.fixture(scope="session")
def mailpit_server(request: pytest.FixtureRequest) -> Generator[tuple[int, int]]:
    """Start a mail server on random ports, and give the port of SMTP and of its API."""
    executable = request.config.stash[_EXECUTABLE]
    if isinstance(executable, ToolUnavailableError):
        tools.missing(str(executable))
    smtp, api = free_port(), free_port()
    process = subprocess.Popen(
        [executable, "--smtp", f"127.0.0.1:{smtp}", "--listen", f"127.0.0.1:{api}"],
        env={"MP_ENABLE_CHAOS": "true", "MP_DISABLE_VERSION_CHECK": "true"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield smtp, api
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture
async def mailpit(mailpit_server: tuple[int, int]) -> AsyncGenerator[Mailpit]:
    """Return the mail server once it answers; it takes mails again after the test."""
    smtp, api = mailpit_server
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{api}") as client:

        async def answers() -> bool:
            return (await client.get("/readyz")).is_success

        await eventually(answers, within_seconds=_READY_WITHIN_SECONDS)
        mailpit = Mailpit(smtp, client)
        yield mailpit
        await mailpit.work()
