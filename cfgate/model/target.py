"""What is waited for, and how to name and count it in a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from cfgate.model.resource import Resource


class Target(NamedTuple):
    """One thing to wait for, and the name that the log uses for it."""

    id: int  # of whatever `resource` is
    name: str = ""
    resource: Resource = Resource.IMAGE_VERSION

    @property
    def label(self) -> str:
        """What to call it in a sentence."""
        return self.name or f"{self.resource.noun} {self.id}"

    @property
    def full_name(self) -> str:
        """Name it so that nothing else is meant: "image version 9001", "linux (image version 9001)"."""
        what = f"{self.resource.noun} {self.id}"
        return f"{self.name} ({what})" if self.name else what


def kinds(targets: Sequence[Target]) -> str:
    """Return what targets are, in the plural: "image versions", or "targets" for a mixture."""
    nouns = {target.resource.noun for target in targets}
    return f"{nouns.pop()}s" if len(nouns) == 1 else "targets"


def counted(targets: Sequence[Target]) -> str:
    """Count targets: "1 image version", "3 image versions", "2 targets"."""
    return f"1 {targets[0].resource.noun}" if len(targets) == 1 else f"{len(targets)} {kinds(targets)}"
