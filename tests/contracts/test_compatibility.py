"""The comparison that guards the contracts is itself worth a test: what it lets through, no other test stops."""

from typing import Any

import pytest
from pydantic import BaseModel, Field

from tests.contracts.compatibility import breaking_changes


class _Line(BaseModel):
    sku: str


class _Before(BaseModel):
    id: str = Field(max_length=5)
    note: str | None = None
    line: _Line


class _WithOptionalField(_Before):
    more: int | None = None


class _WithRequiredField(_Before):
    more: int


class _WithLaxerLimit(_Before):
    id: str = Field(max_length=6)


class _WithNoteRequired(BaseModel):
    id: str = Field(max_length=5)
    note: str | None
    line: _Line


class _WithIdOptional(_Before):
    id: str = Field(max_length=5, default="")


class _WithoutNote(BaseModel):
    id: str = Field(max_length=5)
    line: _Line


def _schema(model: type[BaseModel]) -> dict[str, Any]:
    return model.model_json_schema()


def _with_other_line() -> dict[str, Any]:
    schema = _schema(_Before)
    schema["$defs"]["_Line"]["properties"]["sku"]["type"] = "integer"
    return schema


def test_added_optional_field_breaks_nobody() -> None:
    assert breaking_changes(_schema(_Before), _schema(_WithOptionalField)) == []


def test_what_is_written_for_people_may_change() -> None:
    now = _schema(_Before)
    now["description"] = now["properties"]["id"]["title"] = "another text"

    assert breaking_changes(_schema(_Before), now) == []


@pytest.mark.parametrize(
    ("now", "problem"),
    [
        (_schema(_WithRequiredField), "`more` is new and required"),
        (_schema(_WithLaxerLimit), "`id` was"),
        (_schema(_WithNoteRequired), "`note` was optional and is required"),
        (_schema(_WithIdOptional), "`id` was required and is optional"),
        (_schema(_WithoutNote), "`note` was removed or renamed"),
        (_with_other_line(), "`_Line.sku` was"),
    ],
)
def test_every_other_change_breaks_somebody(now: dict[str, Any], problem: str) -> None:
    problems = breaking_changes(_schema(_Before), now)

    assert len(problems) == 1
    assert problem in problems[0]


def test_new_word_of_an_enum_breaks_older_readers() -> None:
    before = {"$defs": {"Status": {"enum": ["a"], "type": "string"}}, "properties": {}}
    now = {"$defs": {"Status": {"enum": ["a", "b"], "type": "string"}}, "properties": {}}

    problems = breaking_changes(before, now)

    assert len(problems) == 1
    assert problems[0].startswith("`Status` was")
