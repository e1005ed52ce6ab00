"""The option --regenerate: golden files are written anew instead of compared."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option to pytest."""
    parser.addoption("--regenerate", action="store_true", help="write the golden files (schemas, histories) anew")


@pytest.fixture(scope="session")
def regenerate(request: pytest.FixtureRequest) -> bool:
    """Say whether golden files are to be written anew instead of compared."""
    return bool(request.config.getoption("--regenerate"))
