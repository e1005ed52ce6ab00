from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from platform_contracts.message import ContractModel
from tests.contracts.inventory import (
    MESSAGES,
    PUBLISHED_ACTIVITIES,
    VIEWS,
    WORKFLOWS,
    InDomain,
    definition,
    message_name,
)
from tests.contracts.samples import SAMPLES


@pytest.mark.parametrize("message", MESSAGES, ids=message_name)
def test_message_is_frozen_and_ignores_what_it_does_not_know(message: type[ContractModel]) -> None:
    assert message.model_config.get("frozen") is True
    assert message.model_config.get("extra") == "ignore"


@pytest.mark.parametrize("message", SAMPLES, ids=message_name)
def test_message_cannot_be_changed(message: type[ContractModel]) -> None:
    sample = SAMPLES[message]
    field = next(iter(message.model_fields))

    with pytest.raises(ValidationError, match="frozen"):
        setattr(sample, field, None)


@pytest.mark.parametrize("message", SAMPLES, ids=message_name)
def test_message_can_be_a_key(message: type[ContractModel]) -> None:
    # Frozen all the way down: a list in a message could still be changed by who holds it.
    assert hash(SAMPLES[message]) == hash(SAMPLES[message].model_copy())


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda workflow: workflow.name)
def test_workflow_takes_one_message_and_returns_one(workflow: InDomain) -> None:
    types = definition(workflow.value)

    assert len(types.arg_types) == 1
    assert {types.arg_types[0], types.ret_type} <= set(MESSAGES)


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda workflow: workflow.name)
def test_signals_queries_and_updates_carry_messages(workflow: InDomain) -> None:
    carried = list(_carried(definition(workflow.value)))

    assert set(carried) <= set(MESSAGES)


@pytest.mark.parametrize("part", [*PUBLISHED_ACTIVITIES, *VIEWS], ids=lambda part: part.name)
def test_activities_and_views_carry_messages(part: InDomain) -> None:
    kinds = ("request_type", "result_type", "query_type", "answer_type")
    carried = [getattr(part.value, kind) for kind in kinds if hasattr(part.value, kind)]

    assert len(carried) == 2
    assert set(carried) <= set(MESSAGES)


def _carried(types: Any) -> Iterator[type]:
    for handlers in (types.signals, types.queries, types.updates):
        for handler in handlers.values():
            # An update of a contract annotates its self, as Any, and the SDK takes that for an argument.
            yield from (each for each in handler.arg_types or () if each is not Any)
            if getattr(handler, "ret_type", None) not in (None, type(None)):
                yield handler.ret_type
