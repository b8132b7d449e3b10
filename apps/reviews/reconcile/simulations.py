"""Compare simulations of policies with the ledger's events (invariant 5), and what was signed of them.

Names: a simulation without its event, or whose bytes are not those of the event's digest; an event without its row; a
signature that names a simulation which its change never had.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator

from apps.audits.reconcile import Difference
from apps.audits.selectors import replay
from apps.core import canonical
from apps.reviews.models import PolicySignature, PolicySimulation


def differences() -> Iterator[Difference]:
    """Every difference, each naming its row."""
    told = {
        int(event.payload["simulation"]): (
            int(event.payload["change"]),
            str(event.payload["digest"]),
        )
        for event in replay("reviews.policy.simulated")
    }
    known: dict[int, set[str]] = defaultdict(set)
    for row in PolicySimulation.objects.order_by("pk").iterator():
        shown = (row.change_id, canonical.digest(bytes(row.result)))
        known[row.change_id].add(row.digest)
        if told.pop(row.pk, None) != shown or row.digest != shown[1]:
            subject = f"policychange:{row.change_id}"
            yield Difference(subject, f"{row}: it is not the one that the ledger tells of")
    for pk in told:
        yield Difference(
            f"simulation:{pk}", f"simulation {pk} is in the ledger and not in the table"
        )
    for signature in PolicySignature.objects.order_by("pk").iterator():
        named = json.loads(bytes(signature.statement)).get("simulation", "")
        if named and named not in known[signature.change_id]:
            yield Difference(
                f"policychange:{signature.change_id}",
                f"policy signature {signature.pk} names a simulation that its change never had",
            )
