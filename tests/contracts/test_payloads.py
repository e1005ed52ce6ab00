"""What is sent today and was sent before, as golden files: tests/contracts/payloads/<message>.json.

A file holds every form that a message has ever had on the wire, the newest last. None is ever removed or rewritten.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import pydantic_data_converter

from platform_contracts.message import ContractModel
from tests.contracts.inventory import MESSAGES, message_name
from tests.contracts.samples import SAMPLES

PAYLOADS = Path(__file__).parent / "payloads"
CONVERTER = pydantic_data_converter.payload_converter


def _encoded(message: ContractModel) -> Any:
    payload = CONVERTER.to_payload(message)
    assert payload.metadata["encoding"] == b"json/plain"
    return json.loads(payload.data)


def _decoded(form: Any, message: type[ContractModel]) -> ContractModel:
    payload = Payload(metadata={"encoding": b"json/plain"}, data=json.dumps(form).encode())
    decoded = CONVERTER.from_payload(payload, message)
    assert isinstance(decoded, message)
    return decoded


def _forms(message: type[ContractModel]) -> list[Any]:
    path = PAYLOADS / f"{message_name(message)}.json"
    return json.loads(path.read_text()) if path.exists() else []


def test_every_message_has_a_sample() -> None:
    without = [message_name(message) for message in MESSAGES if message not in SAMPLES]

    assert not without, f"give each an instance with all of its fields in tests/contracts/samples.py: {without}"


@pytest.mark.parametrize("message", SAMPLES, ids=message_name)
def test_sample_has_a_value_in_every_field(message: type[ContractModel]) -> None:
    empty = [field for field in message.model_fields if getattr(SAMPLES[message], field) is None]

    assert not empty, "a field without a value is not seen on the wire; give it one in tests/contracts/samples.py"


@pytest.mark.parametrize("message", SAMPLES, ids=message_name)
def test_form_of_today_is_known(message: type[ContractModel], *, regenerate: bool) -> None:
    forms = _forms(message)
    today = _encoded(SAMPLES[message])
    if regenerate and today not in forms:
        forms.append(today)
        PAYLOADS.mkdir(exist_ok=True)
        text = json.dumps(forms, indent=1, ensure_ascii=False) + "\n"
        (PAYLOADS / f"{message_name(message)}.json").write_text(text)

    assert today in forms, (
        f"{message_name(message)} is sent as {json.dumps(today)},\nwhich its file in tests/contracts/payloads does not "
        "hold. Whoever is deployed later has to understand this form too, so\nit is kept: run "
        "`python3 noxfile.py regenerate`, see that it only adds to the file, and commit it."
    )


@pytest.mark.parametrize("message", SAMPLES, ids=message_name)
def test_every_form_there_ever_was_is_understood(message: type[ContractModel]) -> None:
    decoded = [_decoded(form, message) for form in _forms(message)]

    assert SAMPLES[message] in decoded


@pytest.mark.parametrize("message", SAMPLES, ids=message_name)
def test_fields_that_are_not_known_yet_are_ignored(message: type[ContractModel]) -> None:
    decoded = _decoded({**_encoded(SAMPLES[message]), "of_a_later_version": {"a": [1]}}, message)

    assert decoded == SAMPLES[message]
