"""The picture of a terminal, which is made from a real rehearsal."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from cfgate import __version__
from tools.terminal import PICTURE, drawn


def text_of(svg: str) -> list[str]:
    """Read the lines that a picture shows."""
    root = ET.fromstring(svg)  # noqa: S314 - our own picture
    return ["".join(line.itertext()) for line in root.iter("{http://www.w3.org/2000/svg}text")]


def test_a_text_is_drawn_as_it_is() -> None:
    """Every line is shown, markup as text, and colours as colours."""
    svg = drawn("a < b & c\n \x1b[32mgreen\x1b[0m rest\n")
    assert text_of(svg) == ["a < b & c", " green rest"]
    assert re.findall('<tspan fill="([^"]+)">([^<]+)</tspan>', svg) == [("#7ee787", "green")]


def test_the_terminal_is_that_of_this_version() -> None:
    """The picture of a terminal shows a rehearsal by this version, which ends well and says so."""
    shown = text_of(PICTURE.read_text("utf-8"))
    assert shown[0].startswith("$ cfgate 9001 --rehearse ")
    assert shown[1].startswith(f"cfgate {__version__} · rehearsal of ")
    assert shown[-1].startswith("ready (rehearsal: Clanforge was not asked): image version 9001 after ")
