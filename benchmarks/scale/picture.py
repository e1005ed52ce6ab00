"""A bar chart as SVG: a few rectangles and texts, not worth a drawing library and the sixty megabytes it brings."""

from collections.abc import Mapping, Sequence
from typing import Final
from xml.etree.ElementTree import Element, SubElement, indent, tostring

_COLOURS: Final = ("#2f6f9f", "#c9d6df")
_BAR: Final = 56
_GAP: Final = 48
_TALLEST: Final = 240
_TOP: Final = 72
_MARGIN: Final = 24
_FONT: Final = "14px sans-serif"


def bars(title: str, groups: Sequence[str], series: Mapping[str, Sequence[float]]) -> str:
    """Return a chart with a bar of each of at most two series in each group, its value above it.

    Raises:
        ValueError: when a series has another length than the groups, or there are more than two.
    """
    if len(series) > len(_COLOURS) or any(len(values) != len(groups) for values in series.values()):
        raise ValueError("a chart has one or two series, each with a value for every group")
    highest = max((value for values in series.values() for value in values), default=0) or 1
    group_width = len(series) * _BAR + _GAP
    width, height = 2 * _MARGIN + max(group_width * len(groups), 420), _TOP + _TALLEST + 2 * _MARGIN
    picture = Element(
        "svg", xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {width} {height}", style=f"font: {_FONT}"
    )
    SubElement(picture, "rect", width="100%", height="100%", fill="white")
    _text(picture, title, _MARGIN, _MARGIN, "start")
    for number, (name, values) in enumerate(series.items()):
        _box(picture, _MARGIN + number * 180, 36, 12, 12, _COLOURS[number])
        _text(picture, name, _MARGIN + 18 + number * 180, 47, "start")
        for group, value in enumerate(values):
            left = _MARGIN + _GAP // 2 + group * group_width + number * _BAR
            tall = round(_TALLEST * value / highest)
            top = _TOP + _TALLEST - tall
            _box(picture, left, top, _BAR - 4, tall, _COLOURS[number])
            _text(picture, f"{value:.1f}", left + _BAR // 2 - 2, top - 5, "middle")
    for group, name in enumerate(groups):
        middle = _MARGIN + _GAP // 2 + group * group_width + len(series) * _BAR // 2
        _text(picture, name, middle, _TOP + _TALLEST + 20, "middle")
    indent(picture)
    return tostring(picture, encoding="unicode") + "\n"


def _box(picture: Element, left: int, top: int, width: int, height: int, colour: str) -> None:
    SubElement(picture, "rect", x=str(left), y=str(top), width=str(width), height=str(height), fill=colour)


def _text(picture: Element, text: str, left: int, top: int, anchor: str) -> None:
    SubElement(picture, "text", {"x": str(left), "y": str(top), "text-anchor": anchor}).text = text
