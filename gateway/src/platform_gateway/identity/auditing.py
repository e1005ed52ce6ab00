"""Decisions and denials, on their way into the audit log."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Final

from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import SQLAlchemyError

from platform_gateway.identity.audit import AuditLog
from platform_gateway.identity.callers import Caller
from platform_gateway.problems import Kind, Problem
from platform_runtime.logs import get_logger

ASKED: Final = "asked"
"""The outcome of the entry that is written before a thing is done; a second one says what came of it."""

DENIED: Final = "denied"

READ: Final = "read"
"""The outcome of the one entry of a look into another account: it changes nothing, so nothing comes of it."""

_KEPT_WITHIN_SECONDS: Final = 1.5
"""With the other calls of a request below the five seconds in which every one is answered."""

_log = get_logger(__name__)


@asynccontextmanager
async def audited(
    audit: AuditLog, caller: Caller, action: str, target: str, details: dict[str, Any]
) -> AsyncGenerator[None]:
    """Keep who asks for the block before it runs, and then what came of it.

    Args:
        audit: where the entries go.
        caller: who it is.
        action: the operation's id.
        target: what it is done to.
        details: of the second entry; the block may add to them.

    Raises:
        Problem: `AUDIT_AWAY` when the first entry cannot be kept; nothing is done then.
    """
    await keep(audit, caller, action, target, outcome=ASKED)
    outcome = "done"
    try:
        yield
    except Problem as problem:
        outcome = problem.kind.type
        raise
    except RequestValidationError:
        outcome = Kind.INVALID_REQUEST.type
        raise
    except BaseException:
        outcome = "unknown"
        raise
    finally:
        # It is done, or refused; that this cannot be recorded as well changes neither.
        await keep_if_possible(audit, caller, action, target, outcome=outcome, **details)


async def keep(audit: AuditLog, caller: Caller, action: str, target: str, *, outcome: str) -> None:
    """Keep an entry of what is done only once it is kept.

    Raises:
        Problem: `AUDIT_AWAY` when it cannot be kept.
    """
    try:
        async with asyncio.timeout(_KEPT_WITHIN_SECONDS):
            await audit.record(caller, action, target, outcome=outcome)
    except (SQLAlchemyError, OSError, TimeoutError):
        _log.exception("audit.failed", action=action, target=target)
        raise Problem(Kind.AUDIT_AWAY, "Nothing was done, because it could not be recorded.") from None


async def keep_if_possible(
    audit: AuditLog, caller: Caller | None, action: str, target: str, *, outcome: str, **details: Any
) -> None:
    """Keep an entry, or write into the process's log that it could not be kept, with what it would have said."""
    try:
        async with asyncio.timeout(_KEPT_WITHIN_SECONDS):
            await audit.record(caller, action, target, outcome=outcome, **details)
    except (SQLAlchemyError, OSError, TimeoutError):
        subject = None if caller is None else caller.subject
        _log.exception("audit.failed", action=action, target=target, outcome=outcome, subject=subject, details=details)
