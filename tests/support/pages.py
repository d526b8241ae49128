"""The examples in the documents: every fenced block, where it stands, and whether it can be run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).parents[2]
PAGES: Final = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))

_FENCE: Final = re.compile(
    r"^(?:<!-- (?P<note>[a-z ]+: [^\n]+) -->\n)?```(?P<language>\w+)\n(?P<text>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)
# The systems of which ci-systems.md has a section, by the first word of its heading.
SYSTEMS: Final = ("azure", "bitbucket", "buildkite", "circleci", "codebuild", "jenkins", "teamcity")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page, below a heading. `note` is the comment above it: `not run: why`."""

    page: Path
    line: int
    heading: str
    language: str
    text: str
    note: str = ""

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"

    @property
    def run(self) -> bool:
        """Whether the page does not say that this cannot be run."""
        return not self.note.startswith("not run: ")

    @property
    def content(self) -> dict[str, Any]:
        """The YAML in it; `on`, which YAML takes for a yes, is the text again."""
        read = yaml.safe_load(self.text)
        assert isinstance(read, dict), str(self)
        return {("on" if key is True else str(key)): value for key, value in read.items()}

    @cached_property
    def system(self) -> str:
        """What runs it: `github`, `gitlab`, one of `SYSTEMS`, or "" for what is no pipeline."""
        if self.page.name == "ci-systems.md":
            word = self.heading.lower().split()[0].strip(",")
            return word if word in SYSTEMS else "github"
        if self.language != "yaml":
            return ""
        content = self.content
        if "jobs" in content:
            return "github"
        is_gitlab = "include" in content or any(
            "script" in job for job in content.values() if isinstance(job, dict)
        )
        return "gitlab" if is_gitlab or self.page.name == "gitlab.md" else ""


def blocks() -> Iterator[Block]:
    """Read the blocks of all pages."""
    for page in PAGES:
        text = page.read_text("utf-8")
        for match in _FENCE.finditer(text):
            headings = re.findall(
                r"^#+ (.*)$",
                re.sub(r"^```.*?^```$", "", text[: match.start()], flags=re.DOTALL | re.MULTILINE),
                re.MULTILINE,
            )
            line = text.count("\n", 0, match.start("language")) + 1
            yield Block(page, line, headings[-1], match["language"], match["text"], match["note"] or "")


BLOCKS: Final = tuple(blocks())


def examples(system: str) -> list[Block]:
    """Find what a system is to run."""
    return [block for block in BLOCKS if block.system == system and block.run]
