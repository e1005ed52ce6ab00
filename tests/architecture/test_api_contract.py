"""What the API promises is held by tests that exist: every row of docs/api-contract.md names at least one."""

import ast
import re
from pathlib import Path

import pytest

from tests.architecture.members import ROOT

CONTRACT = ROOT / "docs" / "api-contract.md"
ROW = re.compile(r"^\| ([A-Z]\d+) \| (.+) \| (.*) \|$", re.MULTILINE)
TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def _problems(contract: str, root: Path) -> list[str]:
    """Return what is wrong with a contract; an empty one is wrong as well."""
    rows = ROW.findall(contract)
    ids = [promise for promise, _text, _tests in rows]
    problems = [] if rows else ["it promises nothing"]
    problems += [f"{promise} stands there twice" for promise in sorted(set(ids)) if ids.count(promise) > 1]
    lines = re.findall(r"^\| [A-Z]\d+ .*$", contract, re.MULTILINE)
    problems += [f"not a row of three cells: {line}" for line in lines if ROW.fullmatch(line) is None]
    for promise, _text, tests in rows:
        named = TEST.findall(tests)
        if not named or TEST.sub("", tests).strip():
            problems.append(f"{promise} names no test, or something else than tests")
        problems += [
            f"{promise}: {file}::{name} does not exist" for file, name in named if name not in _in(root / file)
        ]
    return problems


def _in(file: Path) -> set[str]:
    if not file.exists():
        return set()
    tree = ast.parse(file.read_text())
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_every_promise_of_the_api_is_held_by_tests_that_exist() -> None:
    assert _problems(CONTRACT.read_text(), ROOT) == []


@pytest.mark.parametrize(
    ("contract", "problem"),
    [
        ("| A1 | It works. | `tests/test_a.py::test_gone` |", "A1: tests/test_a.py::test_gone does not exist"),
        ("| A1 | It works. | `tests/test_b.py::test_there` |", "A1: tests/test_b.py::test_there does not exist"),
        ("| A1 | It works. |  |", "A1 names no test, or something else than tests"),
        ("| A1 | It works. | `test_there` |", "A1 names no test, or something else than tests"),
        ("| A1 | It works. |", "not a row of three cells: | A1 | It works. |"),
        ("It works.", "it promises nothing"),
        ("| A1 | a | `tests/test_a.py::test_there` |\n" * 2, "A1 stands there twice"),
    ],
)
def test_a_promise_that_nothing_holds_is_found(tmp_path: Path, contract: str, problem: str) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_a.py").write_text("async def test_there(): ...\n")

    assert problem in _problems(contract, tmp_path)


def test_a_promise_that_a_test_holds_is_none_of_them(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_a.py").write_text("async def test_there(): ...\n")

    assert _problems("| A1 | It works. | `tests/test_a.py::test_there` |", tmp_path) == []
