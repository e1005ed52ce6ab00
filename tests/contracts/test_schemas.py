"""The JSON schema of every message, as a golden file: tests/contracts/schemas/<message>.json."""

import json
from pathlib import Path
from typing import Any

import pytest

from platform_contracts.message import ContractModel
from tests.contracts.compatibility import breaking_changes
from tests.contracts.inventory import MESSAGES, message_name

SCHEMAS = Path(__file__).parent / "schemas"


@pytest.mark.parametrize("message", MESSAGES, ids=message_name)
def test_message_grows_by_optional_fields_only(message: type[ContractModel], *, regenerate: bool) -> None:
    path = SCHEMAS / f"{message_name(message)}.json"
    golden: dict[str, Any] | None = json.loads(path.read_text()) if path.exists() else None
    now = message.model_json_schema()

    problems = [] if golden is None else breaking_changes(golden, now)
    if regenerate and not problems:
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(now, indent=1, ensure_ascii=False) + "\n")
        golden = now

    assert not problems, (
        f"{message_name(message)} has changed in a way that breaks who was deployed before:\n- "
        + "\n- ".join(problems)
        + "\nSenders and receivers are deployed apart, and histories hold what was sent before, so a message grows by\n"
        "optional fields only. Make it a new type with a new name (`….v2`) and serve both for a while. Only where the\n"
        f"old one was never deployed: delete tests/contracts/schemas/{path.name} and run\n"
        "`python3 noxfile.py regenerate`."
    )
    assert golden == now, (
        f"{message_name(message)} is not as tests/contracts/schemas/{path.name} says, which is what the next change\n"
        "is compared with. The change breaks nobody: take it over with `python3 noxfile.py regenerate` and commit it."
    )


def test_no_message_disappears(*, regenerate: bool) -> None:
    known = {message_name(message) for message in MESSAGES}

    gone = sorted(path.name for path in SCHEMAS.glob("*.json") if path.stem not in known)

    assert not gone, (
        f"these messages were removed or renamed, and somebody may still send them: {', '.join(gone)}.\n"
        "Keep them for as long as histories hold them; then delete their files in tests/contracts/schemas."
    )
