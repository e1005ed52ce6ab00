"""The API's document as a golden file, gateway/openapi.json, and what every operation in it has to say."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from jsonschema_rs import Draft202012Validator

from platform_gateway.access import PUBLIC, REQUIRED
from platform_gateway.openapi.document import operations_of
from tests.gateway.api import document_of_the_api

GOLDEN = Path(__file__).parents[2] / "gateway" / "openapi.json"
DOCUMENT = document_of_the_api()
OPERATIONS = {operation["operationId"]: operation for _path, _method, operation in operations_of(DOCUMENT)}


def test_document_is_as_the_golden_file_says(*, regenerate: bool) -> None:
    now = json.dumps(DOCUMENT, indent=1, ensure_ascii=False) + "\n"
    if regenerate:
        GOLDEN.write_text(now)

    assert GOLDEN.read_text() == now, (
        "the API is not as gateway/openapi.json says, which its clients are made from.\n"
        "Take the change over with `python3 noxfile.py regenerate`, and read the difference before you commit it."
    )


def test_every_operation_has_a_stable_name_that_says_who_may_call_it() -> None:
    assert OPERATIONS.keys() == REQUIRED.keys() | PUBLIC


@pytest.mark.parametrize("operation_id", sorted(OPERATIONS))
def test_every_answer_and_body_has_an_example_that_its_schema_allows(operation_id: str) -> None:
    operation = OPERATIONS[operation_id]
    holders = {**operation["responses"], **({"body": operation["requestBody"]} if "requestBody" in operation else {})}

    for name, holder in holders.items():
        for media_type, media in holder.get("content", {}).items():
            assert "example" in media, f"{operation_id} {name}: add it to platform_gateway.openapi.examples"
            if "json" in media_type:
                _validator(media["schema"]).validate(media["example"])


@pytest.mark.parametrize("operation_id", sorted(OPERATIONS))
def test_links_of_an_operation_lead_to_operations(operation_id: str) -> None:
    links = [
        link for answer in OPERATIONS[operation_id]["responses"].values() for link in answer.get("links", {}).values()
    ]

    assert {link["operationId"] for link in links} <= OPERATIONS.keys()


def test_every_name_is_in_camel_case() -> None:
    parameters = (each for operation in OPERATIONS.values() for each in operation.get("parameters", []))
    names = {each["name"] for each in parameters if each["in"] != "header"} | set(_members(DOCUMENT["components"]))

    assert {"workflowId", "blockedBy", "startedAfter"} <= names
    assert [name for name in names if re.fullmatch(r"[a-z][a-zA-Z0-9]*", name) is None] == []


def test_no_operation_answers_504() -> None:
    statuses = {status for operation in OPERATIONS.values() for status in operation["responses"]}

    assert "503" in statuses
    assert "504" not in statuses, "work that takes longer than the wait goes on: that is 202"


def _members(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        for name, value in cast("dict[str, Any]", schema).items():
            if name == "properties":
                yield from value
            yield from _members(value)
    if isinstance(schema, list):
        for value in cast("list[Any]", schema):
            yield from _members(value)


def _validator(schema: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator({**schema, "components": DOCUMENT["components"]})
