"""Saving a card."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apps.accounts import policy
from apps.accounts.models import User
from apps.accounts.selectors import names
from apps.audits.log import verb
from apps.core import canonical, clock
from apps.core.actor import Actor
from apps.core.errors import Conflict, Forbidden, Invalid
from apps.modelcards import content as contents
from apps.modelcards import revisions, selectors
from apps.modelcards.events import CardSaved
from apps.modelcards.models import CardRevision
from apps.registry.models import ModelVersion
from apps.registry.services.locks import lock_version


def save_card(
    actor: Actor, version: ModelVersion, content: Mapping[str, Any], base_revision: int
) -> CardRevision:
    """Save the human blocks as the next revision; a save that changes nothing returns the latest one.

    `content` is the whole card: a block that is left out is emptied. `base_revision` is the number the
    editor started from (0: none). Refuses: content that `content.clean` refuses; a first card without
    a word; a base that is no longer the latest (Conflict: somebody else has saved; nothing is lost,
    the caller still holds the text). Allowed while a review runs: the round keeps its own revision.
    """
    policy.require(actor, "card.edit", version)
    if actor.user_id is None:
        raise Forbidden("A card's blocks have human authors; the system writes none.")
    texts = contents.clean(content)
    with verb(actor) as v:
        locked = lock_version(version.pk)
        latest = selectors.latest_revision(locked)
        _require_base(latest, base_revision)
        changed = revisions.changed_blocks(latest.texts if latest else {}, texts)
        if not changed:
            return _unchanged(latest)
        revision = _store(actor.user_id, locked, latest, texts)
        v.record(
            CardSaved(
                model=locked.model_id,
                version=locked.pk,
                revision=revision.pk,
                number=revision.number,
                base=base_revision,
                digest=revision.digest,
                changed=changed,
            )
        )
    return revision


def _require_base(latest: CardRevision | None, base: int) -> None:
    number = latest.number if latest else 0
    if number == base:
        return
    if latest is None or base > number:
        raise Conflict(f"You edited revision {base}, the card has {number}. Load it again.")
    who = names([latest.author_id])[latest.author_id]
    raise Conflict(
        f"{who} saved revision {number} while you were editing revision {base}.",
        hint="Your text was not saved and is still in the form: compare it with theirs, then save.",
    )


def _unchanged(latest: CardRevision | None) -> CardRevision:
    if latest is None:
        raise Invalid("The card is still empty.", fields={"__all__": "Write at least one block."})
    return latest


def _store(
    user_id: int, version: ModelVersion, latest: CardRevision | None, texts: dict[str, str]
) -> CardRevision:
    now = clock.now()
    number = latest.number + 1 if latest else 1
    document = revisions.make(
        version=str(version.uuid),
        number=number,
        texts=texts,
        previous=revisions.verified(latest)["blocks"] if latest else {},
        author=str(User.objects.values_list("uuid", flat=True).get(pk=user_id)),
        at=now,
    )
    data = canonical.dumps(document)
    return CardRevision.objects.create(
        version=version,
        number=number,
        content=document,
        document=data,
        digest=canonical.digest(data),
        author_id=user_id,
        created_at=now,
    )
