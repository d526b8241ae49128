"""The comparison of what was built: it tells every difference."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.dist import Different, compare, contents

BUILT = {"cfgate-1.2.3.tar.gz": b"source", "cfgate-1.2.3-py3-none-any.whl": b"wheel"}


def test_the_same_files_with_the_same_bytes_are_the_same(tmp_path: Path) -> None:
    """What lies in a directory is compared by name and by content."""
    for name, content in BUILT.items():
        (tmp_path / name).write_bytes(content)
    compare(BUILT, contents(tmp_path))


@pytest.mark.parametrize(
    ("again", "why"),
    [
        ({**BUILT, "cfgate-1.2.3.tar.gz": b"sourcf"}, r"with other bytes: \['cfgate-1\.2\.3\.tar\.gz'\]"),
        ({**BUILT, "cfgate-1.2.3-py3-none-any.whl": b""}, "with other bytes"),
        ({"cfgate-1.2.3.tar.gz": b"source"}, "other files"),
        ({**BUILT, "cfgate-1.2.4.tar.gz": b"source"}, "other files"),
        ({}, "other files"),
    ],
)
def test_any_difference_is_told(again: dict[str, bytes], why: str) -> None:
    """Another byte, a file too few or one too many: none of them passes."""
    with pytest.raises(Different, match=why):
        compare(BUILT, again)
