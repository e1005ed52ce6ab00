"""The routes of what the acquirer shows of its book: all of it, its records page by page, its events."""

from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any

from pydantic import ValidationError
from sqlalchemy.engine import Row
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from platform_runtime.page_cursor import InvalidCursorError, decode_cursor, encode_cursor
from platform_sandbox.bodies import RecordsQuery
from platform_sandbox.book import Book
from platform_sandbox.exchange import played_out, problem
from platform_sandbox.misbehaviour import Misbehaviour
from platform_sandbox.outbox import Outbox
from platform_sandbox.reports import RecordsPosition, records, whole_book


def report_routes(book: Book, outbox: Outbox, misbehaviour: Misbehaviour) -> Sequence[BaseRoute]:
    """Return the routes of reports."""
    reports = _Reports(book, outbox, misbehaviour)
    return [
        Route("/v1/book", reports.whole_book, methods=["GET"]),
        Route("/v1/records", reports.records, methods=["GET"]),
        Route("/v1/events", reports.events, methods=["GET"]),
    ]


class _Reports:
    def __init__(self, book: Book, outbox: Outbox, misbehaviour: Misbehaviour) -> None:
        self._book = book
        self._outbox = outbox
        self._misbehaviour = misbehaviour

    async def whole_book(self, request: Request) -> Response:
        async with self._book.read() as connection:
            return JSONResponse(await whole_book(connection, tenant=request.query_params.get("tenant")))

    async def records(self, request: Request) -> Response:
        try:
            query = RecordsQuery.model_validate(dict(request.query_params))
            after = None if query.cursor is None else _position(query.cursor)
        except (ValidationError, InvalidCursorError):
            return problem(HTTPStatus.BAD_REQUEST, "bad_request", "These are no records to ask for")
        plan = self._misbehaviour.next_attempt("records", "records", token=None)

        async def read() -> Response:
            async with self._book.read() as connection:
                # One more than fits says whether there is another page.
                found = await records(
                    connection, since=query.since, until=query.until, after=after, limit=query.limit + 1
                )
            page = found[: query.limit]
            cursor = _cursor(page[-1]) if len(found) > query.limit else None
            return JSONResponse({"records": [_record(row) for row in page], "cursor": cursor})

        return await played_out(plan, request, read)

    async def events(self, _request: Request) -> Response:
        return JSONResponse({"events": await self._outbox.everything()})


def _record(row: Row[Any]) -> dict[str, Any]:
    return {
        "kind": row.kind,
        "operation": row.operation or None,
        "name": row.name or None,
        "partner": row.partner,
        "amountMinor": row.amount_minor,
        "currency": row.currency,
        "status": row.status,
        "at": row.at.isoformat(),
    }


def _cursor(row: Row[Any]) -> str:
    return encode_cursor(row.at.isoformat(), row.kind, row.operation, row.name)


def _position(cursor: str) -> RecordsPosition:
    at, kind, operation, name = decode_cursor(cursor, parts=4)
    try:
        return RecordsPosition(at=datetime.fromisoformat(at), kind=kind, operation=operation, name=name)
    except ValueError:
        raise InvalidCursorError from None
