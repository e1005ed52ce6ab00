"""A fresh database of the payment service for each run of a state machine, made from one that is migrated already."""

import shutil
from collections.abc import Callable, Generator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from sqlalchemy import make_url

from platform_runtime.migrations import migrate
from tests.integration.payment.samples import MIGRATIONS
from tests.support.postgres import PostgresServer

Fresh = Callable[[], str]
"""Makes a database with the schema and without rows; returns its URL."""


def fresh_sqlite(directory: Path) -> Fresh:
    """Return what copies a migrated file."""
    template = directory / "template.sqlite3"
    migrate(f"sqlite:///{template}", MIGRATIONS)
    numbers = count()

    def fresh() -> str:
        file = directory / f"{next(numbers)}.sqlite3"
        shutil.copyfile(template, file)
        return f"sqlite:///{file}"

    return fresh


@contextmanager
def fresh_postgres(server: PostgresServer, template_url: str) -> Generator[Fresh]:
    """Yield what makes databases from a migrated one; they are dropped at the end."""
    migrate(template_url, MIGRATIONS)
    template = make_url(template_url).database
    made: list[str] = []

    def fresh() -> str:
        name = f"{template}_{len(made)}"
        server.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        made.append(name)
        return server.url(name)

    try:
        yield fresh
    finally:
        for name in made:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")
