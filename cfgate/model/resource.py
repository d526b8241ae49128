"""What can be waited for: the one table of the four kinds of targets."""

from __future__ import annotations

from enum import Enum, auto
from typing import Any


class Shape(Enum):
    """What an answer is made of."""

    JOB = auto()  # the fields of a job, whose names begin with `job`
    MACHINES = auto()  # counts of machines, whose names end with `_machines`

    def told_in(self, payload: dict[str, Any]) -> bool:
        """Whether an answer has any field of this shape; an error envelope has none."""
        if self is Shape.JOB:
            return any(name.startswith("job") for name in payload)
        return any(name.endswith("_machines") for name in payload)


class Resource(Enum):
    """What can be waited for: all that differs between the four.

    Sources: the image-version-status page of the Clanforge documentation and its siblings.
    """

    IMAGE_VERSION = (
        "image-version",
        "image version",
        "/cfp/v1/imageversion/{id}/status",
        "imageversionid",
        Shape.JOB,
        "Read the job error, fix the build, and create a new image version.",
    )
    IMAGE_UPDATE = (
        "image-update",
        "image update",
        "/cfp/v1/imageupdate/{id}/status",
        "updateid",
        Shape.JOB,
        "Read the job error, fix the files, and update the image again.",
    )
    IMAGE_DIFF = (
        "image-diff",
        "image diff",
        "/cfp/v1/imagediff/{id}/status",
        "diffid",
        Shape.JOB,
        "Read the job error, fix its cause, and create a new image diff.",
    )
    ROLLOUT = (
        "rollout",
        "image roll-out",
        "/cfp/v2/project/{asid}/image/{id}/status",
        "",
        Shape.MACHINES,
        "Look at the failed machines in the Clanforge dashboard; do not switch anything to this image yet.",
    )

    def __init__(self, label: str, noun: str, path: str, id_field: str, shape: Shape, remedy: str) -> None:
        self.label = label  # as the option `resource` spells it
        self.noun = noun  # in a sentence, before the id
        self.path = path  # always of a status: other GET addresses of Clanforge change state
        self.id_field = id_field  # of the answer; must equal the id asked for; empty: the answer names none
        self.shape = shape
        self.remedy = remedy  # what to do when it has failed

    @property
    def needs_account(self) -> bool:
        """Whether it cannot be asked for without an account service id."""
        return "{asid}" in self.path

    def address(self, number: int, account_service_id: int | None) -> str:
        """Return the path and the query that ask for the status of this id.

        Raises ValueError where the account is needed and missing, and for anything but numbers.
        """
        if self.needs_account:
            if account_service_id is None:
                raise ValueError(f"a {self.label} needs the account service id")
            return self.path.format(id=f"{number:d}", asid=f"{account_service_id:d}")
        account = "" if account_service_id is None else f"?accountserviceid={account_service_id:d}"
        return self.path.format(id=f"{number:d}") + account
