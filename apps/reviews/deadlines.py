"""When a request expires. Pure functions of rows and a policy: nothing is stored, so nothing can be out of date.

Days are 24 hours counted from a moment, in UTC; a moment has come when the clock shows it or later.
"""

from __future__ import annotations

import datetime as dt

from apps.reviews.models import ReviewStatus
from apps.reviews.policies.document import PolicyDocument

# What can expire. A signed review waits for nobody: its approval has a life of its own (approval_days).
WAITING = (ReviewStatus.OPEN, ReviewStatus.CHANGES_REQUESTED)


def after(moment: dt.datetime, days: int) -> dt.datetime:
    """The moment so many times 24 hours later."""
    return moment + dt.timedelta(days=days)


def expires_at(document: PolicyDocument, newest_round_at: dt.datetime) -> dt.datetime | None:
    """When a request under this policy expires whose newest round was made at that moment; None: never."""
    days = document.review_days
    return None if days is None else after(newest_round_at, days)
