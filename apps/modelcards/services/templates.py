"""Defining card templates of one's own, and choosing which one a model's cards follow.

Both are for those who judge models, not for those who write cards: a template says what must be answered, so whoever is
asked may not choose the questions. What is required is never less than `document.FLOOR`.
"""

from __future__ import annotations

from django.db import connection
from django.db.models import Max

from apps.accounts import policy
from apps.audits.log import verb
from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import Conflict, Forbidden, Invalid
from apps.modelcards import content, layouts
from apps.modelcards.events import TemplateChosen, TemplateDefined
from apps.modelcards.models import CardTemplateChoice, CardTemplateVersion
from apps.modelcards.templating import document
from apps.modelcards.templating.blocks import KNOWN
from apps.modelcards.templating.shipped_templates import shipped
from apps.registry.models import RegisteredModel
from apps.registry.services.locks import lock_model

MAX_REASON = 1000
_LOCK = 0x63617264  # one definition at a time: versions are numbered without gaps


def define_template(actor: Actor, text: str, *, after: int) -> CardTemplateVersion:
    """The next version of one of the site's own templates, from YAML; the same text again returns the one there is.

    `after` is the number of the version that the editor started from (0: none). Refuses (Invalid) what `document.load`
    refuses, and the key of a template that ships; (Conflict) a version that somebody defined meanwhile.
    Cards that follow an older version stay as they are.
    """
    policy.require(actor, "card.define")
    user_id = _person(actor)
    draft = document.load(text, 1, KNOWN)
    if any(each.key == draft.key for each in shipped().values()):
        message = f"{draft.key} is a template that ships; take another key."
        raise Invalid(message, fields={"text": message}, hint="Nothing was saved.")
    with verb(actor) as v:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        newest = _newest(draft.key, after)
        template = document.load(text, (newest.number if newest else 0) + 1, KNOWN)
        if newest and _same(layouts.read(newest), template):
            return newest
        row = CardTemplateVersion.objects.create(
            key=template.key,
            number=template.number,
            source=text,
            document=template.document,
            digest=template.digest,
            author_id=user_id,
            created_at=clock.now(),
        )
        v.record(
            TemplateDefined(
                template=row.pk,
                key=row.key,
                number=row.number,
                title=template.title,
                digest=row.digest,
                required=list(template.required),
            )
        )
    return row


def _newest(key: str, after: int) -> CardTemplateVersion | None:
    number = CardTemplateVersion.objects.filter(key=key).aggregate(n=Max("number"))["n"] or 0
    if number != after:
        raise Conflict(
            f"The card template {key} has version {number}; you started from {after or 'none'}.",
            hint="Nothing was saved. Read the newest version, then define yours after it.",
        )
    return CardTemplateVersion.objects.filter(key=key, number=number).first()


def _same(old: document.CardTemplate, new: document.CardTemplate) -> bool:
    return (old.title, old.about, old.applies_to, old.sections) == (
        new.title,
        new.about,
        new.applies_to,
        new.sections,
    )


def choose_template(
    actor: Actor, model: RegisteredModel, *, key: str, reason: str
) -> CardTemplateChoice | None:
    """Have the cards of a model follow a template; an empty key leaves it to the model's tier and tags again.

    The completeness of every card of the model then waits until it has moved there. Choosing what is chosen changes
    nothing and returns None. Refuses (Invalid) a key that is none, and a choice without a reason.
    """
    policy.require(actor, "card.template", model)
    user_id = _person(actor)
    reason = _reason(reason)
    if key and key not in layouts.newest():
        raise Invalid("There is no such card template.", fields={"key": "Choose one of the list."})
    with verb(actor) as v:
        locked = lock_model(model.pk)
        was = layouts.chosen_key(locked)
        if was == key:
            return None
        row = CardTemplateChoice.objects.create(
            model=locked, key=key, reason=reason, author_id=user_id, created_at=clock.now()
        )
        v.record(TemplateChosen(model=locked.pk, choice=row.pk, key=key, was=was, reason=reason))
    return row


def _person(actor: Actor) -> int:
    if actor.user_id is None:
        raise Forbidden("A template has an author; the system writes none.")
    return actor.user_id


def _reason(text: str) -> str:
    """One that says something, and that can be stored and read."""
    said = content.normalise(text)
    if not said:
        raise Invalid("A choice needs a reason.", fields={"reason": "Say why."})
    if problem := content.problem_of(said, MAX_REASON, "a reason"):
        raise Invalid("The reason can not be kept.", fields={"reason": problem})
    return said
