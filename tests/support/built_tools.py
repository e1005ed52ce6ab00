"""Get what may have to be built before the first test that needs it: to build a tool takes longer than a test may.

Run as a program it gets all of them.
"""

from collections.abc import Callable

import pytest

from deploy.rehearsal.programs import compose_command
from platform_cli.errors import ToolUnavailableError
from platform_cli.tools import jaeger, mailpit, temporal_server
from platform_cli.tools.go_build import shared_cache
from tests import tools
from tests.support import localstripe, stripe_mock
from tests.support.toxiproxy import executable as toxiproxy_executable

_LOCAL_STACK = (temporal_server.executable, jaeger.executable, mailpit.executable)
# The fixtures below, and what each of them gets.
_GETTERS: dict[str, tuple[Callable[[], object], ...]] = {
    "local_stack_tools": _LOCAL_STACK,
    "compose": (compose_command,),
    "toxiproxy": (toxiproxy_executable,),
    "stripe_counterparts": (stripe_mock.executable, localstripe.environment),
}
_PROBLEMS = pytest.StashKey[dict[str, str]]()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Find or build the tools that any collected test needs."""
    problems = session.config.stash[_PROBLEMS] = {}
    if session.config.option.collectonly:
        return
    needed = {name for item in session.items if isinstance(item, pytest.Function) for name in item.fixturenames}
    for name in _GETTERS.keys() & needed:
        try:
            for get in _GETTERS[name]:
                get()
        except ToolUnavailableError as unavailable:
            problems[name] = str(unavailable)


@pytest.fixture(scope="session")
def local_stack_tools(request: pytest.FixtureRequest) -> None:
    """Make sure that `partner up` will build nothing; skips when a tool is not to be had."""
    _skip_without("local_stack_tools", request)


@pytest.fixture(scope="session")
def compose(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """Return the command that is docker's compose; skips when it is not to be had."""
    _skip_without("compose", request)
    return compose_command()


@pytest.fixture(scope="session")
def toxiproxy(request: pytest.FixtureRequest) -> None:
    """Make sure that `fault_proxy` will build nothing; skips when its program is not to be had."""
    _skip_without("toxiproxy", request)


@pytest.fixture(scope="session")
def stripe_counterparts(request: pytest.FixtureRequest) -> None:
    """Make sure that `running_stripe_mock` and `running_localstripe` will build nothing; skips when one is missing."""
    _skip_without("stripe_counterparts", request)


def _skip_without(fixture: str, request: pytest.FixtureRequest) -> None:
    if problem := request.config.stash[_PROBLEMS].get(fixture):
        tools.missing(problem)


if __name__ == "__main__":
    with shared_cache():
        for _getters in _GETTERS.values():
            for _get in _getters:
                print(_get(), flush=True)
