"""What stands behind the ids and commitments of the record, as far as it may still be known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth import get_user_model

from apps.audits.models import Opening

if TYPE_CHECKING:
    from collections.abc import Iterable

SYSTEM_LABEL = "system"


def actor_labels(ids: Iterable[int | None]) -> dict[int | None, str]:
    """What each actor is called now, in one query. The ledger knows people by id only, and this app
    knows of the user model (settings.AUTH_USER_MODEL) only that it has a text form."""
    wanted = {user_id for user_id in ids if user_id is not None}
    labels: dict[int | None, str] = {user_id: f"user {user_id}" for user_id in wanted}
    labels[None] = SYSTEM_LABEL
    if wanted:
        people = get_user_model()._default_manager.filter(pk__in=wanted)  # noqa: SLF001 - Django's documented handle
        labels |= {person.pk: str(person) for person in people}
    return labels


def opened(wanted: Iterable[str]) -> dict[str, str]:
    """The values of those commitments that can still be opened, in one query."""
    keys = [bytes.fromhex(commitment) for commitment in wanted]
    if not keys:
        return {}
    rows = Opening.objects.filter(commitment__in=keys).values_list("commitment", "value")
    return {bytes(commitment).hex(): value for commitment, value in rows}
