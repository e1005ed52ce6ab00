"""Problems and their documentation are complete."""

import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from temporalio.client import Client

from platform_contracts.analytics.failures import AnalyticsFailure
from platform_contracts.listing.failures import ListingFailure
from platform_contracts.payment.failures import PaymentFailure
from platform_contracts.user.failures import UserFailure
from platform_gateway.access import PUBLIC, REQUIRED
from platform_gateway.problems import FAILURES, Kind
from platform_gateway.workflow_gateway import WorkflowGateway
from platform_runtime.problem import PROBLEM_MEDIA_TYPE
from tests.gateway.api import LINKS, opened_api

README = Path(__file__).parents[2] / "gateway" / "README.md"


class _BrokenGateway(WorkflowGateway):
    async def status(self, *_arguments: Any, **_options: Any) -> Any:
        raise ZeroDivisionError("secret of the gateway")


async def test_a_bug_of_the_gateway_is_a_500_without_its_text(client: Client) -> None:
    async with opened_api(client, workflows=_BrokenGateway(client, links=LINKS)) as api:
        answer = await api.get("/v1/operations/demo:a:b:c")

    assert answer.status_code == 500
    assert answer.json()["type"] == "internal_error"
    assert "secret" not in answer.text
    assert len(answer.json()["traceId"]) == 32


def test_every_failure_of_the_contracts_has_a_status() -> None:
    failures = {*UserFailure, *AnalyticsFailure, *ListingFailure, *PaymentFailure}

    assert set(FAILURES) == failures, "a failure without a status is a 500: add it to FAILURES"


def test_no_two_kinds_of_problem_have_one_name() -> None:
    kinds = [kind.type for kind in Kind]
    failures = [name for _, name in FAILURES.values()]

    assert len(kinds) == len(set(kinds))
    assert len(failures) == len(set(failures))


def test_a_name_that_is_both_a_kind_and_a_failure_has_one_status() -> None:
    statuses = {kind.type: kind.status for kind in Kind}

    clashes = [name for status, name in FAILURES.values() if statuses.get(name, status) != status]

    assert clashes == []


def test_every_kind_of_problem_stands_in_the_table_of_the_readme_under_its_status() -> None:
    rows = re.findall(r"^\| (\d{3}) \| (.*) \|$", README.read_text(), re.MULTILINE)
    shown = {(name, int(status)) for status, text in rows for name in re.findall(r"`([a-z_]+)`", text)}

    missing = {(kind.type, kind.status) for kind in Kind} - shown

    assert missing == set(), "clients decide by these names, so they are told them: add them to the table"


async def _document(api: httpx.AsyncClient) -> dict[str, Any]:
    return (await api.get("/openapi.json")).json()


async def test_the_document_is_openapi_3_1_and_has_no_error_body_of_fastapi(api: httpx.AsyncClient) -> None:
    document = await _document(api)

    assert document["openapi"].startswith("3.1")
    assert "HTTPValidationError" not in str(document)


async def test_every_error_is_documented_as_a_problem(api: httpx.AsyncClient) -> None:
    document = await _document(api)

    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            for status, response in operation["responses"].items():
                if int(status) >= 400:
                    assert list(response["content"]) == [PROBLEM_MEDIA_TYPE], f"{method} {path} {status}"
                    assert response["description"], f"{method} {path} {status} says nothing"
            assert "500" in operation["responses"]


async def test_every_guarded_route_documents_how_to_come_in(api: httpx.AsyncClient) -> None:
    document = await _document(api)

    operations = {each["operationId"]: each for path in document["paths"].values() for each in path.values()}
    assert operations.keys() == REQUIRED.keys() | PUBLIC
    for operation in (operations[name] for name in REQUIRED):
        assert operation["security"] == [{"HTTPBearer": []}, {"APIKeyHeader": []}]
        assert {"401", "403", "429", "503"} <= operation["responses"].keys()


@pytest.mark.parametrize("path", ["/docs", "/openapi.json"])
async def test_the_documentation_is_served(api: httpx.AsyncClient, path: str) -> None:
    answer = await api.get(path)

    assert answer.status_code == 200
