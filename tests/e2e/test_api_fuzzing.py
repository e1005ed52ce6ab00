"""Requests made from the API's own document, thousands of them, valid and not: every answer is as the document says."""

import asyncio
import os
import re
import sys
from pathlib import Path

import pytest

from tests.support.platform import running_platform

ROOT = Path(__file__).parents[2]
EXAMPLES = int(os.environ.get("API_FUZZ_EXAMPLES", "8"))
"""For each operation and phase; 8 make more than a thousand requests in all."""
REQUESTS = 1_000
WITHIN_SECONDS = int(os.environ.get("API_FUZZ_WITHIN_SECONDS", "240"))


@pytest.mark.timeout(WITHIN_SECONDS + 120)
async def test_every_answer_is_as_the_document_says(tmp_path: Path, local_stack_tools: None) -> None:
    key = "key-of-acme"
    async with running_platform(
        tmp_path,
        GATEWAY_API_KEY=key,
        GATEWAY_TENANT="acme",
        # Else a stream lasts as long as its operation, and some of those wait for a person.
        GATEWAY_EVENT_STREAM_SECONDS="1",
    ) as platform:
        fuzzing = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(ROOT / "schemathesis.toml")),
            *("run", str(ROOT / "gateway" / "openapi.json")),
            *("--url", platform.urls["gateway"], "--header", f"Authorization: Bearer {key}"),
            *("--max-examples", str(EXAMPLES), "--request-timeout", "45"),
            # Python before 3.12 cannot parse source code in two threads at once (gh-106905), which generators do.
            *("--workers", "1"),
            *("--generation-database", "none", "--suppress-health-check", "all", "--no-color"),
            # What it must keep to and what no schema can say stands in schemathesis.toml.
            cwd=tmp_path,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            printed, _ = await asyncio.wait_for(fuzzing.communicate(), WITHIN_SECONDS)
        finally:
            if fuzzing.returncode is None:
                fuzzing.kill()
                await fuzzing.wait()
    report = printed.decode()
    print(report)

    assert fuzzing.returncode == 0, report[-8_000:]
    assert "✅ Stateful" in report
    tested = re.search(r"Selected: (\d+)/(\d+)\s+Tested: (\d+)", report)
    assert tested is not None
    assert tested[1] == tested[2] == tested[3], "an operation was left out"
    generated = re.search(r"(\d+) generated", report)
    assert generated is not None
    assert int(generated[1]) >= REQUESTS
