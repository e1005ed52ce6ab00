"""Every command that a document prints works, on a platform of the documents' own."""

import re
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from platform_gateway.problems import Kind
from tests.support.documents import ROOT, Answer, Block, as_tested, assert_as_shown, blocks, commands, documents, run
from tests.support.platform import own_environment, run_partner
from tests.support.waiting import eventually

NOT_HERE = {
    "python3 noxfile.py setup": "CI runs it, in a fresh checkout",
    "python3 noxfile.py demo": "CI runs it, in a fresh checkout",
    "python3 noxfile.py tests": "CI runs it: it is what runs this",
    ".venv/bin/partner up": "stays in the foreground; tests/e2e brings the stack up with --detach",
    ".venv/bin/partner worker user --reload": "stays in the foreground; tests/integration/cli/test_reloading_worker.py",
    "python -m platform_gateway": "stays in the foreground; tests/gateway/test_process.py",
}
"""Commands that are not run here, and who runs them instead."""

NOTIFY = (
    "curl localhost:8000/v1/users/u-1/notifications -H 'Content-Type: application/json' "
    """-d '{"message": "Hello", "type": "in_app"}'"""
)

ELSEWHERE = {ROOT / "docs" / "how-to" / "add-a-workflow.md": "tests/e2e/test_how_to_add_a_workflow.py"}

WITH_COMMANDS = [
    document
    for document in documents()
    if document not in ELSEWHERE and any(block.language == "console" for block in blocks(document))
]


@pytest.fixture(scope="module")
async def environment(
    tmp_path_factory: pytest.TempPathFactory, local_stack_tools: None
) -> AsyncGenerator[Mapping[str, str]]:
    """Return the environment of a platform that runs, with the user that the documents speak of."""
    variables = own_environment(tmp_path_factory.mktemp("documents"))
    try:
        await run_partner(variables, "up", "--detach")
        readme = [block for block in blocks(ROOT / "README.md") if "onboarding/execute" in block.text]
        for command in commands(readme[0]):
            await _typed(command.text, variables)
        yield variables
    finally:
        await run_partner(variables, "down")


async def _typed(text: str, environment: Mapping[str, str]) -> Answer:
    return await run(as_tested(text, environment), environment=environment)


@pytest.mark.timeout(180)
@pytest.mark.parametrize("document", WITH_COMMANDS, ids=lambda path: path.relative_to(ROOT).as_posix())
async def test_commands_of_a_document_work(document: Path, environment: Mapping[str, str]) -> None:
    answer: Answer | None = None

    for block in blocks(document):
        if block.language == "console":
            answer = await _followed(block, environment)
        elif block.language == "json":
            assert_as_shown(block, answer)


async def _followed(block: Block, environment: Mapping[str, str]) -> Answer | None:
    answer: Answer | None = None
    for command in commands(block):
        if command.text in NOT_HERE:
            continue
        answer = await _typed(command.text, environment)
        if answer.status is not None:
            is_success = answer.status in range(200, 300)
            assert is_success or answer.status in command.expected_statuses, (
                f"{command.where} does not say that this may answer {answer.status}: {command.text}\n{answer.text}"
            )
    return answer


async def test_metrics_that_documents_name_are_shown(environment: Mapping[str, str]) -> None:
    text = "".join(document.read_text() for document in WITH_COMMANDS if document.is_relative_to(ROOT / "docs"))
    # A counter of failures appears with the first one.
    named = {name for name in re.findall(r"\btemporal_[a-z_]+\b", text) if not name.endswith("_failed_total")}
    named -= {kind.type for kind in Kind}

    async def all_are_shown() -> bool:
        # What a worker has not done yet it has not measured, and which of several workers does this, is open.
        await _typed(NOTIFY, environment)
        shown = await _typed("curl localhost:9464/metrics", environment)
        missing = named - set(re.findall(r"^# TYPE (\w+)", shown.text, re.MULTILINE))
        assert not missing
        return True

    assert named
    assert await eventually(all_are_shown, within_seconds=30, every_seconds=0.5)


def test_commands_that_are_not_run_here_are_in_a_document() -> None:
    consoles = [block for document in documents() for block in blocks(document) if block.language == "console"]

    printed = {command.text for block in consoles for command in commands(block)}

    assert NOT_HERE.keys() <= printed


async def test_router_is_mounted_as_the_document_of_the_gateway_says(traced: None) -> None:
    (block,) = [block for block in blocks(ROOT / "gateway" / "README.md") if block.language == "python"]
    shown: dict[str, Any] = {}

    exec(compile(block.text, block.where, "exec"), shown)
    app: FastAPI = await shown["create"]()

    assert "/partners/api/temporal/notification/start" in app.openapi()["paths"]
