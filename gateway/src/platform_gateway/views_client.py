"""Read the services' views."""

import asyncio
from http import HTTPStatus
from typing import Final

import httpx
from opentelemetry import propagate
from pydantic import SecretStr, ValidationError

from platform_contracts.view import TENANT_HEADER, AnswerT, QueryT, View
from platform_gateway.problems import Kind, Problem, invalid_field
from platform_runtime.logs import get_logger

VIEW_SECONDS: Final = 1.0
"""How long one view may take, connecting included; httpx itself bounds only each single step."""

_log = get_logger(__name__)


class ViewsClient:
    """The views of one service."""

    def __init__(self, http: httpx.AsyncClient, *, url: str, token: SecretStr | None) -> None:
        self._http = http
        self._url = url.rstrip("/")
        self._token = token

    async def read(self, view: View[QueryT, AnswerT], query: QueryT, *, tenant: str) -> AnswerT:
        """Return what the view answers for the tenant.

        Raises:
            Problem: `VIEW_AWAY` when the service is away, slow, broken or not ours to ask; `INVALID_REQUEST` when it
                does not accept the query, such as a cursor that it never gave.
        """
        if self._token is None:
            raise self._away(view.path, "SERVICE_TOKEN is not set")
        headers = {"Authorization": f"Bearer {self._token.get_secret_value()}", TENANT_HEADER: tenant}
        propagate.inject(headers)
        try:
            async with asyncio.timeout(VIEW_SECONDS):
                answer = await self._http.get(
                    f"{self._url}{view.path}",
                    params=query.model_dump(mode="json", exclude_none=True),
                    headers=headers,
                )
        except (httpx.HTTPError, TimeoutError) as error:
            raise self._away(view.path, type(error).__name__) from error
        if answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY:
            # Everything else of the query has been checked; what a cursor holds is the service's own business.
            raise invalid_field("query", "cursor", "not the `nextCursor` of a page")
        if answer.status_code != HTTPStatus.OK:
            raise self._away(view.path, f"status {answer.status_code}")
        try:
            return view.answer_type.model_validate_json(answer.content)
        except ValidationError as error:
            raise self._away(view.path, "not the answer of the contract") from error

    def _away(self, path: str, reason: str) -> Problem:
        _log.warning("view.unavailable", view=path, url=self._url, reason=reason)
        return Problem(Kind.VIEW_AWAY, "Try again later.")
