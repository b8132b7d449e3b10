"""Charts that are kept: drawn once for all processes, whoever looks and how often.

A picture is found by the digest of its specification, which is made of the result and nothing else, and of the version of
what drew it (`drawing.key_of`). So a changed result, a changed drawing and a changed library each make a new picture, and no
picture is ever shown for other numbers than its own.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Sequence
from typing import Final

from apps.core import clock, drawing
from apps.core.models import Picture

KEPT_FOR: Final = dt.timedelta(days=180)
_LOG = logging.getLogger(__name__)


def drawn(texts: Sequence[str]) -> dict[str, str]:
    """The picture of each specification; one that Vega cannot draw is left out and logged. Writes nothing."""
    found = {}
    for text in dict.fromkeys(texts):
        try:
            found[text] = drawing.drawn(text)
        except ValueError:
            _LOG.exception("a chart cannot be drawn: %s", text[:500])
    return found


def kept(texts: Sequence[str]) -> dict[str, str]:
    """Like `drawn`, with one query for those that were drawn before and one more for new ones."""
    keys = {text: drawing.key_of(text) for text in texts}
    rows = Picture.objects.filter(key__in=keys.values()).values_list("key", "svg")
    before = dict(rows)
    found = {text: before[key] for text, key in keys.items() if key in before}
    made = drawn([text for text in keys if text not in found])
    Picture.objects.bulk_create(
        [Picture(key=keys[text], svg=svg) for text, svg in made.items()], ignore_conflicts=True
    )
    return found | made


def forget_old() -> int:
    """Delete what was drawn long ago, how many: whoever looks at it again draws it again."""
    gone, _ = Picture.objects.filter(created_at__lt=clock.now() - KEPT_FOR).delete()
    return gone
