"""Addresses in S3: which are well-formed, and which this site is set up to copy from. Reads nothing.

An address is a bucket and a name. Which server answers for it, and with whose credentials, is never in it: that is
`CHECKS_S3_ENDPOINT` and the environment's. So nobody who attaches data can make the site call another server, and only what
lies below an entry of `CHECKS_S3_ALLOWED` is read at all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from django.conf import settings

from apps.core.errors import Invalid

SCHEME: Final = "s3://"
_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_LONGEST: Final = 1024


@dataclass(frozen=True, slots=True)
class Address:
    """A bucket and the name of an object, or of what stands before the names of several."""

    bucket: str
    name: str

    @property
    def path(self) -> str:
        """As pyarrow writes it, and an entry of the allow-list."""
        return f"{self.bucket}/{self.name}" if self.name else self.bucket

    def __str__(self) -> str:
        return f"{SCHEME}{self.path}"


def parse(text: str) -> Address:
    """The address of `s3://bucket/name`. Raises Invalid (field "s3") for anything else, for empty, `.` and `..` segments too."""
    if not text.startswith(SCHEME):
        raise refused("expected s3://bucket/name")
    bucket, _, name = text.removeprefix(SCHEME).partition("/")
    name = name.removesuffix("/")
    if not _BUCKET.fullmatch(bucket) or ".." in bucket:
        raise refused("there is no bucket of that name")
    odd = any(segment in {"", ".", ".."} for segment in name.split("/")) if name else False
    if odd or len(name) > _LONGEST or not name.isprintable() or "\\" in name:
        raise refused("the name after the bucket cannot be used")
    return Address(bucket, name)


def why_not(text: str) -> str:
    """Why an address is not read here, in words; "" where it may be."""
    try:
        require_allowed(parse(text))
    except Invalid as error:
        return error.fields.get("s3", error.message)
    return ""


def require_allowed(address: Address) -> None:
    """Raises Invalid (field "s3") unless the address is, or lies below, an entry of the allow-list, segment by segment."""
    if not is_set_up():
        raise refused("this site is not set up to read S3; an administrator can allow buckets")
    for entry in settings.CHECKS_S3_ALLOWED:
        allowed = entry.removeprefix(SCHEME).strip("/")
        if address.path == allowed or address.path.startswith(f"{allowed}/"):
            return
    raise refused(f"{address} is not among the places in S3 that this site may read")


def is_set_up() -> bool:
    """Whether anything in S3 may be read."""
    return bool(settings.CHECKS_S3_ALLOWED)


def refused(reason: str) -> Invalid:
    """What is raised about an address: the reason beside the form's field, and in a sentence."""
    return Invalid(f"S3: {reason}.", fields={"s3": reason})
