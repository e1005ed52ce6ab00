"""Get the tools of the local stack before the first test that needs them: to build one takes longer than a test may."""

from pathlib import Path

import pytest

from platform_cli.errors import ToolUnavailableError
from platform_cli.tools import jaeger, mailpit
from platform_cli.tools import temporal_server as dev_server
from tests import tools

_PROBLEM = pytest.StashKey[str | None]()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Find or build the tools, if any collected test needs them."""
    needed = any(
        "local_stack_tools" in item.fixturenames for item in session.items if isinstance(item, pytest.Function)
    )
    if not needed or session.config.option.collectonly:
        return
    problem: str | None = None
    try:
        for tool in (dev_server, jaeger, mailpit):
            _executable: Path = tool.executable()
    except ToolUnavailableError as unavailable:
        problem = str(unavailable)
    session.config.stash[_PROBLEM] = problem


@pytest.fixture(scope="session")
def local_stack_tools(request: pytest.FixtureRequest) -> None:
    """Make sure that `partner up` will build nothing; skips when a tool is not to be had."""
    problem = request.config.stash[_PROBLEM]
    if problem is not None:
        tools.missing(problem)
