"""The benchmark of isolation and scaling writes down what it measured."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks.machine import Machine
from benchmarks.scale.isolation import Domain
from benchmarks.scale.picture import bars
from benchmarks.scale.report import Results, as_picture, write
from benchmarks.scale.throughput import Throughput

_SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def results() -> Results:
    machine = Machine(
        cores=4, model="A", system="Linux", python="3.13", temporalio="1", temporal_cli="1", commit="abcdef0"
    )
    workers = [
        Throughput(
            workers=number,
            calls=100,
            per_second=9.0 * number,
            of_slots=0.9,
            of_one=float(number),
            p50_milliseconds=400,
            p99_milliseconds=500,
        )
        for number in (1, 2, 4)
    ]
    domain = Domain(
        name="user",
        call="a notification",
        calls=480,
        p95_with=40.04,
        p95_without=50.0,
        ratio=0.8,
        ratio_of_pairs=(0.7, 0.9),
    )
    return Results(
        date="2026-11-24 05:49 UTC",
        machine=machine,
        load_before=0.1,
        load_after=2.5,
        seconds=120.0,
        isolation=[domain],
        throughput=workers,
    )


def test_page_has_a_line_of_each_and_the_picture_beside_it(results: Results, tmp_path: Path) -> None:
    files = write(results, tmp_path)

    page = (tmp_path / "scale-2026-11-24-0549.md").read_text()
    assert "| user | a notification | 480 | 40.0 | 50.0 | **0.80** (0.70 to 0.90) |" in page
    assert "| 4 | 100 | 36.0 | **4.00** | 0.90 | 400 | 500 |" in page
    assert "](scale-2026-11-24-0549.svg)" in page
    assert json.loads(files[0].read_text())["throughput"][2]["per_second"] == 36


def test_picture_shows_each_number_of_workers(results: Results) -> None:
    picture = ElementTree.fromstring(as_picture(results))

    told = {"".join(each.itertext()).strip() for each in picture.iter(f"{_SVG}text")}
    assert {"1", "2", "4", "9.0", "18.0", "36.0", "40.0"} <= told


def test_bar_is_as_tall_as_its_value() -> None:
    picture = ElementTree.fromstring(bars("t", ["a", "b"], {"one": [10, 40]}))

    tall = [int(each.attrib["height"]) for each in picture.iter(f"{_SVG}rect") if each.get("width") == "52"]
    assert tall[1] == 4 * tall[0] > 0


def test_series_without_a_value_for_each_group_is_refused() -> None:
    with pytest.raises(ValueError, match="a value for every group"):
        bars("t", ["a", "b"], {"one": [1]})
