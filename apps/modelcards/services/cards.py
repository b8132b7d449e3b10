"""Saving a card."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apps.accounts import policy
from apps.accounts.models import User
from apps.audits.log import verb
from apps.core import bases, canonical, clock
from apps.core.actor import Actor
from apps.core.errors import Forbidden, Invalid
from apps.modelcards import content as contents
from apps.modelcards import layouts, revisions, selectors
from apps.modelcards.events import CardSaved
from apps.modelcards.models import CardRevision
from apps.modelcards.templating import naming
from apps.modelcards.templating.document import CardTemplate
from apps.registry.models import ModelVersion
from apps.registry.services.locks import lock_version


def save_card(
    actor: Actor,
    version: ModelVersion,
    content: Mapping[str, Any],
    base_revision: int,
    template: str = "",
) -> CardRevision:
    """Save the human blocks as the next revision; a save that changes nothing returns the latest one.

    `template` (key/number) lays it out from now on; without it the card keeps the one it has, and a first card takes
    the one its model is given. Refuses (Invalid) any but those of `layouts.open_to`: which template a model's cards follow
    is not for their writers to choose (see `templates.choose`).

    `content` is the whole card: a block that is left out is emptied. `base_revision` is the number the
    editor started from (0: none). Refuses: content that `content.clean` refuses; a first card without
    a word; a base that is no longer the latest (Conflict: somebody else has saved; nothing is lost,
    the caller still holds the text). Allowed while a review runs: the round keeps its own revision.
    """
    policy.require(actor, "card.edit", version)
    if actor.user_id is None:
        raise Forbidden("A card's blocks have human authors; the system writes none.")
    with verb(actor) as v:
        locked = lock_version(version.pk)
        latest = selectors.latest_revision(locked)
        bases.require_base(latest, base_revision)
        before = revisions.verified(latest) if latest else None
        layout = _layout(locked, before, template)
        names = _names(locked, layout, before)
        texts = contents.clean(content, layout, [key for key in names if key not in layout.blocks])
        changed = revisions.changed_blocks(latest.texts if latest else {}, texts, names)
        moved = before is not None and layouts.of(before).name != layout.name
        if not changed and not moved:
            return bases.unchanged(latest, "The card is still empty.", "Write at least one block.")
        revision = _store(actor.user_id, locked, latest, texts, layout, names)
        v.record(
            CardSaved(
                model=locked.model_id,
                version=locked.pk,
                revision=revision.pk,
                number=revision.number,
                base=base_revision,
                digest=revision.digest,
                changed=changed,
                template=layout.name,
                template_digest=layout.digest,
            )
        )
    return revision


def _layout(version: ModelVersion, before: Mapping[str, Any] | None, wanted: str) -> CardTemplate:
    open_to = layouts.open_to(version.model, before)
    if not wanted:
        return open_to[0]
    for template in open_to:
        if template.name == wanted:
            return template
    raise Invalid(
        f"The card can not move to the template {wanted[:100]}.",
        fields={"template": f"Open to it: {', '.join(each.name for each in open_to)}."},
        hint="Whoever validates the model can choose another one for its cards.",
    )


def _names(
    version: ModelVersion, layout: CardTemplate, before: Mapping[str, Any] | None
) -> naming.Names:
    """Every block that may hold text: the template's, those of the templates before it, and what was kept: what somebody
    wrote while another moved the card has a place."""
    if before is None:
        return naming.of((layout, {}))
    earlier: list[tuple[CardTemplate, Mapping[str, Any]]] = [
        (each, {}) for each in layouts.ever(version)
    ]
    return naming.of((layout, {}), (layouts.of(before), before.get("kept", {})), *earlier)


def _store(
    user_id: int,
    version: ModelVersion,
    latest: CardRevision | None,
    texts: dict[str, str],
    layout: CardTemplate,
    names: naming.Names,
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
        template=layout,
        names=names,
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
