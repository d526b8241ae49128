"""GitLab's annotations report: links beside the log of the job.

An object of sections, each a list of `{"external_link": {"label": …, "url": …}}`. Source: GitLab's page on
artifacts reports, and `ci_job_annotation_data.json` in its sources.
"""

from __future__ import annotations

import json
from typing import Final

from cfgate.model import Result

_MOST: Final = 100  # GitLab takes up to 1000, but no more than 80 KiB


def job_annotations(result: Result, details_url: str) -> str:
    """Write the links as JSON, an empty object when there are none."""
    entries = [{"external_link": {"label": label, "url": url}} for label, url in links(result, details_url)]
    return json.dumps({"cfgate": entries[:_MOST]} if entries else {}, ensure_ascii=False) + "\n"


def links(result: Result, details_url: str) -> list[tuple[str, str]]:
    """Pair each image version, in words, with the address of its page.

    There is none when the user has not said where it would be, nor in a rehearsal, which is not about it.
    """
    if not details_url or result.rehearsal:
        return []
    targets = [outcome.target for outcome in result.outcomes]
    return [
        (
            f"{target.resource.noun} {target.id}",
            details_url.replace("{id}", str(target.id)),
        )
        for target in targets
    ]
