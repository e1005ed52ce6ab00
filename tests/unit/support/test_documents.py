"""The reader of documents, on a document of its own: what it overlooks, nobody runs."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.documents import ROOT, Block, as_tested, blocks, commands, is_as_shown

DOCUMENT = """\
# Title

In `a/b.py`:

```python
x = 1
```

```console
# 202; 409 when it has ended
curl -X POST localhost:8000/x \\
  -d '{"a": 1}'

.venv/bin/partner status   # shows it
```
"""


def test_block_knows_its_language_its_text_and_the_line_before_it(tmp_path: Path) -> None:
    document = tmp_path / "document.md"
    document.write_text(DOCUMENT)

    python, console = blocks(document)

    assert (python.language, python.text, python.introduction, python.line) == ("python", "x = 1\n", "In `a/b.py`:", 5)
    assert console.language == "console"


def test_block_that_is_not_closed_is_refused(tmp_path: Path) -> None:
    document = tmp_path / "document.md"
    document.write_text("```console\nls\n")

    with pytest.raises(AssertionError, match="not closed"):
        blocks(document)


def test_continued_line_is_one_command_and_comments_are_none() -> None:
    text = DOCUMENT.partition("```console\n")[2].removesuffix("```\n")
    block = Block(ROOT / "document.md", line=9, language="console", text=text, introduction="")

    request, status = commands(block)

    assert request.text.split() == ["curl", "-X", "POST", "localhost:8000/x", "-d", '\'{"a":', "1}'"]
    assert request.expected_statuses == {202, 409}
    assert (status.text, status.expected_statuses) == (".venv/bin/partner status", set())


def test_command_meets_the_platform_of_the_test() -> None:
    environment = {"GATEWAY_PORT": "4711", "USER_INTERNAL_PORT": "4712"}

    tested = [as_tested(text, environment) for text in ("curl http://localhost:8000/docs", ".venv/bin/partner status")]

    assert tested[0] == "curl http://127.0.0.1:4711/docs"
    assert tested[1].endswith("-m platform_cli status")


@pytest.mark.parametrize(
    ("answered", "fits"),
    [
        ({"id": "a-17", "result": {"ok": False}}, True),
        ({"id": "b-17", "result": {"ok": False}}, False),
        ({"id": "a-17", "result": {"ok": True}}, False),
        ({"id": "a-17"}, False),
        ({"id": "a-17", "result": {"ok": False}, "more": 1}, False),
        ({"id": None, "result": {"ok": False}}, False),
    ],
)
def test_answer_fits_by_its_members(answered: Any, *, fits: bool) -> None:
    assert is_as_shown({"id": "a-…", "result": {"ok": False}}, answered) == fits
