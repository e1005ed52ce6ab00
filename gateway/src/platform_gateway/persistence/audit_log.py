"""The audit log in the database, which itself refuses to change or delete an entry."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import insert, select

from platform_gateway.identity.audit import entry
from platform_gateway.identity.callers import Caller
from platform_gateway.identity.key_store import AuditEntry
from platform_gateway.persistence.tables import AUDIT_LOG
from platform_runtime.database import Database
from platform_runtime.problem import current_trace_id

_LENGTHS: Final = {"subject": 300, "home": 40, "action": 100, "target": 1000, "outcome": 100}


class SqlAuditLog:
    """The ports `AuditLog` and `AuditReader` on SQLite and PostgreSQL."""

    def __init__(self, database: Database) -> None:
        """Use this database."""
        self._database = database

    async def record(
        self, caller: Caller | None, action: str, target: str, *, outcome: str = "done", **details: Any
    ) -> None:
        """Insert an entry."""
        row = {name: _fitting(name, value) for name, value in entry(caller, action, target, outcome, details).items()}
        row |= {
            "details": json.dumps(details, default=str),
            "recorded_at": datetime.now(UTC),
            "trace_id": current_trace_id(),
        }
        async with self._database.write() as connection:
            await connection.execute(insert(AUDIT_LOG).values(row))

    async def page(self, tenant: str | None, *, before: int | None, limit: int) -> Sequence[AuditEntry]:
        """Return the next entries, newest first."""
        statement = select(AUDIT_LOG).order_by(AUDIT_LOG.c.entry_id.desc()).limit(limit)
        if tenant is not None:
            statement = statement.where(AUDIT_LOG.c.tenant == tenant)
        if before is not None:
            statement = statement.where(AUDIT_LOG.c.entry_id < before)
        async with self._database.read() as connection:
            rows = (await connection.execute(statement)).mappings().all()
        return [AuditEntry(**{**row, "details": json.loads(row["details"])}) for row in rows]


def _fitting(name: str, value: object) -> object:
    """Return what the column can hold: a target is a path, which its caller may have made as long as they liked."""
    if not isinstance(value, str) or name not in _LENGTHS:
        return value
    # NUL is valid in a path, but no text of a PostgreSQL database.
    return value.replace("\x00", "\\0")[: _LENGTHS[name]]
