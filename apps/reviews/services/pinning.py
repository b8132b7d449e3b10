"""Which policy version a review is held to, and the locks that keep what is in force still meanwhile."""

from __future__ import annotations

from collections.abc import Collection

from django.db import connection

from apps.core import canonical, clock
from apps.registry.models import ModelVersion
from apps.registry.targets import Target
from apps.reviews import in_force
from apps.reviews.models import (
    PolicyVersion,
)
from apps.reviews.policies.document import PolicyDocument, plain

# Advisory locks, taken in this order. Changes exclude each other; whoever pins a policy to a review shares the second,
# which an activation takes alone; whoever writes down a combination takes the third.
_CHANGING, IN_FORCE, _COMBINING = 7_140_302, 7_140_303, 7_140_304


def one_at_a_time() -> None:
    """Changes of policies wait for each other: each is compared with what is in force."""
    alone(_CHANGING)


def alone(lock: int) -> None:
    """Take an advisory lock until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [lock])


def _shared(lock: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [lock])


def write_version(
    document: PolicyDocument, parts: Collection[int], author: int | None
) -> PolicyVersion:
    """Write the document down as an immutable version; `parts` are the versions that it combines."""
    stored = plain(document)
    return PolicyVersion.objects.create(
        key=document.key,
        number=document.number,
        document=stored,
        digest=canonical.digest_of(stored),
        parts=sorted(parts),
        created_by_id=author,
        created_at=clock.now(),
    )


def pin(version: ModelVersion, targets: Collection[Target]) -> PolicyVersion:
    """The policy version that a review of this move is held to: one in force, or their combination written down.

    Called within the transaction that makes the review: until its end nothing else comes into force.
    """
    _shared(IN_FORCE)
    found = in_force.policy_for(version, targets)
    if len(found.parts) == 1:
        return found.parts[0]
    digest = canonical.digest_of(plain(found.document))
    row = PolicyVersion.objects.filter(digest=digest).first()
    if row is None:
        alone(_COMBINING)
        row = PolicyVersion.objects.filter(digest=digest).first()
    return row or write_version(found.document, [part.pk for part in found.parts], None)
