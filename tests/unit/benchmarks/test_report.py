"""The benchmark's results can be read by programs and by people, and tell nothing of whose machine it was."""

import json
from pathlib import Path

from benchmarks.figures import Round, ratios, summary
from benchmarks.machine import machine
from benchmarks.report import Comparison, Results, as_markdown, write
from benchmarks.rounds import Load

ROUNDS = [Round(seconds=2, latencies=(0.1, 0.2, 0.3, 0.4))]
RESULTS = Results(
    date="2030-01-02 03:04 UTC",
    machine=machine(),
    load_before=0.5,
    load_after=1.5,
    seconds=10,
    traces=False,
    events={"ours": 56.0, "bare": 56.0},
    comparisons=[
        Comparison(
            "purchase",
            "bare program",
            Load("saturated", at_once=32, calls=4, within_seconds=1, pairs=1, pairs_within_seconds=9),
            0.9,
            summary(ROUNDS),
            summary(ROUNDS),
            ratios(ROUNDS, ROUNDS),
        )
    ],
)


def test_files_are_named_by_their_moment(tmp_path: Path) -> None:
    files = write(RESULTS, tmp_path)

    assert sorted(each.name for each in files) == ["2030-01-02-0304.json", "2030-01-02-0304.md"]
    assert json.loads(files[0].read_text())["comparisons"][0]["ours"]["per_second"] == 2.0


def test_table_says_what_the_ratio_is_and_should_be() -> None:
    text = as_markdown(RESULTS)

    assert "| **ratio** (aim 0.9) | | **1.00** (1.00 to 1.00) | 1.00 | 1.00 |" in text
    assert "load average 0.5 before and 1.5 after" in text


def test_results_name_no_path(tmp_path: Path) -> None:
    texts = [each.read_text() for each in write(RESULTS, tmp_path)]

    assert not [text for text in texts if str(Path.cwd()) in text or str(Path.home()) in text]
