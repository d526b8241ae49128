"""GitHub-flavoured Markdown as GitHub's own library renders it, taken apart for tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

import cmarkgfm  # type: ignore[import-untyped]  # it has no types
from cmarkgfm.cmark import Options  # type: ignore[import-untyped]  # it has no types

# Elements whose text GitHub leaves alone when it looks for mentions, issue numbers and emoji codes.
QUIET = frozenset({"code", "pre"})


@dataclass
class Page(HTMLParser):
    """The elements and the text of a page; fails when elements are not nested well."""

    markdown: str
    tags: list[str] = field(default_factory=list)
    attributes: list[tuple[str, str | None]] = field(default_factory=list)
    loud: str = ""  # the text outside QUIET elements
    quiet: list[str] = field(default_factory=list)  # the text of each QUIET element

    def __post_init__(self) -> None:
        super().__init__()
        self._open: list[str] = []
        self.feed(cmarkgfm.github_flavored_markdown_to_html(self.markdown, Options.CMARK_OPT_UNSAFE))
        self.close()
        assert not self._open, self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open an element."""
        self.tags.append(tag)
        self.attributes += attrs
        if tag == "br":
            self.handle_data("\n")
            return
        if tag in QUIET and not self._hushed:
            self.quiet.append("")
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close the innermost element, which must be this one."""
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Take text."""
        if self._hushed:
            self.quiet[-1] += data
        else:
            self.loud += data

    @property
    def _hushed(self) -> bool:
        return not QUIET.isdisjoint(self._open)
