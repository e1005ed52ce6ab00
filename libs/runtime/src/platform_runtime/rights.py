"""What the role of a worker may do in a PostgreSQL database whose tables belong to another role."""

from collections.abc import Collection
from typing import Final

from sqlalchemy import create_engine, inspect, make_url, text

from platform_runtime.database import driver_url

_READ_ONLY: Final = frozenset({"alembic_version"})
"""A worker looks whether the schema is the one that it needs; only the owner changes it."""


class SameRoleError(Exception):
    """The owner of the tables and the worker are one role, which would take its own rights away."""


def grant_rights(owner_url: str, *, worker_url: str, append_only: Collection[str]) -> None:
    """Give the role of the worker's URL what a worker needs on every table, and take from it all else.

    It may read and add rows everywhere, and change and delete them except in the tables that are append only. Safe to
    repeat: what is granted after that does not depend on what was granted before.

    Raises:
        SameRoleError: when both URLs name one role, or the worker's names none.
    """
    worker = make_url(worker_url).username
    if worker is None or worker == make_url(owner_url).username:
        raise SameRoleError("the owner's and the worker's database URL have to name two roles")
    engine = create_engine(driver_url(owner_url, is_async=False))
    quoted = engine.dialect.identifier_preparer.quote
    try:
        with engine.begin() as connection:
            for table in inspect(connection).get_table_names():
                rights = "SELECT"
                if table not in _READ_ONLY:
                    rights += ", INSERT" if table in append_only else ", INSERT, UPDATE, DELETE"
                connection.execute(text(f"REVOKE ALL ON TABLE {quoted(table)} FROM {quoted(worker)}"))
                connection.execute(text(f"GRANT {rights} ON TABLE {quoted(table)} TO {quoted(worker)}"))
            connection.execute(text(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {quoted(worker)}"))
    finally:
        engine.dispose()
