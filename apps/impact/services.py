"""The verbs of impact assessments: save a revision, sign one, note that an authority was told."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

from apps.accounts import policy
from apps.accounts import selectors as accounts
from apps.accounts.models import User
from apps.accounts.proof import ReauthProof
from apps.accounts.signing import sign
from apps.audits.log import Verb, verb
from apps.core import bases, canonical, clock
from apps.core.actor import Actor, ActorKind
from apps.core.errors import Conflict, Forbidden, Invalid
from apps.impact import answers as told
from apps.impact import events, revisions, scoring, selectors
from apps.impact import questionnaire as questionnaires
from apps.impact.models import (
    AssessmentRevision,
    AssessmentSignature,
    AuthorityNotification,
    meaning,
)
from apps.impact.questionnaire import Questionnaire
from apps.impact.scoring import Score
from apps.registry import services as registry
from apps.registry.models import RegisteredModel
from apps.registry.services.locks import lock_model
from apps.registry.services.retired import refuse_if_retired

STATEMENT: Final = "countersign.impact_assessment_signature.v1"
EDIT: Final = "impact.edit"


def save_assessment(
    actor: Actor, model: RegisteredModel, answers: Mapping[str, Any], base_revision: int
) -> AssessmentRevision:
    """Save the answers as the next revision; a save that changes nothing returns the newest one.

    `answers` is the whole form: what is left out is not answered; a draft may leave out anything. They answer the current
    edition of the questionnaire. `base_revision` is the number the editor started from (0: none). Refuses: answers that
    `answers.clean` refuses, a first save without any, a base that is not the newest (Conflict), a retired model.
    """
    policy.require(actor, EDIT, model)
    _require_person(actor, "The answers have human authors; no service or system gives any.")
    asked = questionnaires.current()
    given = told.clean(asked, answers)
    with verb(actor) as v:
        model = lock_model(model.pk)
        refuse_if_retired(model)
        latest = selectors.latest_revision(model)
        bases.require_base(latest, base_revision)
        before = revisions.answers(latest) if latest else {}
        differs = revisions.changed(before, given)
        same_edition = latest is None or latest.questionnaire == asked.name
        if not differs and same_edition:
            return bases.unchanged(
                latest, "Nothing is answered yet.", "Answer at least one question."
            )
        row = _store(actor.user_id or 0, model, latest, given, asked)
        v.record(
            events.AssessmentSaved(
                model=model.pk,
                revision=row.pk,
                number=row.number,
                base=base_revision,
                questionnaire=asked.name,
                digest=row.digest,
                changed=differs,
            )
        )
    return row


def _require_person(actor: Actor, otherwise: str) -> None:
    if actor.user_id is None or actor.kind is not ActorKind.HUMAN:
        raise Forbidden(otherwise)


def _store(
    user_id: int,
    model: RegisteredModel,
    latest: AssessmentRevision | None,
    given: Mapping[str, Any],
    asked: Questionnaire,
) -> AssessmentRevision:
    now = clock.now()
    number = latest.number + 1 if latest else 1
    document = revisions.make(
        model=str(model.uuid),
        number=number,
        questionnaire=asked.name,
        answers=given,
        previous=revisions.verified(latest)["answers"] if latest else {},
        author=str(User.objects.values_list("uuid", flat=True).get(pk=user_id)),
        at=now,
    )
    data = canonical.dumps(document)
    return AssessmentRevision.objects.create(
        model=model,
        number=number,
        questionnaire=asked.name,
        content=document,
        document=data,
        digest=canonical.digest(data),
        author_id=user_id,
        created_at=now,
    )


def sign_assessment(
    actor: Actor, revision: AssessmentRevision, *, digest: str, comment: str, proof: ReauthProof
) -> AssessmentSignature:
    """Sign the newest revision: it comes into force, and the model is at least of the tier that its level demands.

    The order: lock the model; the revision is the newest, complete, unsigned, and the one the signer was shown; she has
    the right at this moment, gave none of its answers and has just re-authenticated; write the signature with the score
    in what she signs; raise the model's tier where the level demands a higher one (`registry.require_tier`). A lower one
    stays as it is: that is proposed and signed as any change of the tier is (apps.reviews).
    Refuses otherwise (Conflict, Invalid for what is not answered, Forbidden), and a retired model.
    """
    comment = _words(comment, "comment", told.MAX_TEXT)
    proof.require_for(actor)
    with verb(actor) as v:
        model = lock_model(revision.model_id)
        refuse_if_retired(model)
        row = _require_newest(model, revision, digest)
        _require_signer(actor, row)
        asked = questionnaires.load(row.questionnaire)
        found = scoring.score(asked, revisions.answers(row))
        _require_complete(asked, found)
        signed = _sign(actor, row, found, asked, comment, proof)
        v.record(_signed_event(signed))
        _raise_tier(actor, model, row, found)
    return signed


def _require_newest(
    model: RegisteredModel, revision: AssessmentRevision, digest: str
) -> AssessmentRevision:
    row = selectors.latest_revision(model)
    if row is None or row.pk != revision.pk or row.digest != digest:
        number = row.number if row else 0
        raise Conflict(
            f"You were shown {digest[:12]}; the newest is revision {number}, {row.digest[:12] if row else 'none'}.",
            hint="Read what changed, then sign again.",
        )
    if getattr(row, "signature", None) is not None:
        raise Conflict(f"Revision {row.number} is signed already.")
    return row


def _require_signer(actor: Actor, row: AssessmentRevision) -> None:
    """The right of this moment, and none of the answers."""
    policy.require_fresh(actor, selectors.SIGN, row)
    if actor.user_id is None or actor.user_id in selectors.authors_of(row):
        raise Forbidden("You gave some of its answers, so somebody else must sign.")


def _require_complete(asked: Questionnaire, found: Score) -> None:
    if found.is_complete:
        return
    titles = asked.questions
    raise Invalid(
        f"{len(found.missing)} required questions are not answered, so it cannot be signed.",
        fields={"__all__": f"Not answered: {'; '.join(titles[key].title for key in found.missing[:5])}"},
    )  # fmt: skip


def _sign(
    actor: Actor,
    row: AssessmentRevision,
    found: Score,
    asked: Questionnaire,
    comment: str,
    proof: ReauthProof,
) -> AssessmentSignature:
    due = clock.now().date() + dt.timedelta(days=asked.valid_days)
    made = sign(
        STATEMENT,
        accounts.get_user(actor.user_id or 0),
        proof,
        {
            "model": row.model.name,
            "model_id": str(row.model.uuid),
            "revision": row.number,
            "digest": row.digest,
            "questionnaire": row.content["questionnaire"],
            "score": found.plain(),
            "due_on": due.isoformat(),
            "meaning": meaning(found.level, found.tier),
            "comment": comment,
        },
    )
    return AssessmentSignature.objects.create(
        revision=row,
        model=row.model,
        total=found.total,
        level=found.level,
        tier=found.tier,
        formula=scoring.FORMULA,
        due_on=due,
        comment=comment,
        **made.columns,
    )


def _signed_event(row: AssessmentSignature) -> events.AssessmentSigned:
    return events.AssessmentSigned(
        model=row.model_id,
        revision=row.revision_id,
        number=row.revision.number,
        signature=row.pk,
        questionnaire=row.revision.questionnaire,
        digest=row.revision.digest,
        total=row.total,
        level=row.level,
        tier=row.tier,
        formula=row.formula,
        due_on=row.due_on.isoformat(),
        statement_digest=row.statement_digest,
        method=row.method,
        signer=str(row.user.uuid),
        signer_name=row.signer_name,
    )


def _raise_tier(
    actor: Actor, model: RegisteredModel, row: AssessmentRevision, found: Score
) -> None:
    because = f"impact assessment {row.number} is level {found.level} ({found.total} of 100)"
    registry.require_tier(actor, model, found.tier, because=because)


def note_notification(
    actor: Actor,
    model: RegisteredModel,
    *,
    authority: str,
    reference: str,
    notified_on: dt.date,
) -> AuthorityNotification:
    """Note that an authority was told of the assessment in force (EU AI Act Art. 27(3)). It sends nothing itself.

    Refuses: no assessment in force (Conflict), a day before its signature or in the future, empty or long words.
    """
    policy.require(actor, EDIT, model)
    _require_person(actor, "A notification is noted by a person.")
    authority, reference = _line(authority, "authority"), _line(reference, "reference")
    with verb(actor) as v:
        model = lock_model(model.pk)
        signature = selectors.signature_in_force(model)
        if signature is None:
            raise Conflict(f"{model.name} has no signed impact assessment to tell anybody of.")
        _require_day(signature, notified_on)
        row = AuthorityNotification.objects.create(
            signature=signature,
            authority=authority,
            reference=reference,
            notified_on=notified_on,
            user_id=actor.user_id or 0,
            created_at=clock.now(),
        )
        _record_notified(v, row)
    return row


def _record_notified(v: Verb, row: AuthorityNotification) -> None:
    revision = row.signature.revision
    v.record(
        events.AuthorityNotified(
            model=revision.model_id,
            revision=revision.pk,
            number=revision.number,
            notification=row.pk,
            authority=row.authority,
            reference=row.reference,
            notified_on=row.notified_on.isoformat(),
        )
    )


def _require_day(signature: AssessmentSignature, day: dt.date) -> None:
    first, last = signature.created_at.date(), clock.now().date()
    if not first <= day <= last:
        problem = f"From {first.isoformat()}, when it was signed, to today."
        raise Invalid("The day cannot be.", fields={"notified_on": problem})


def _line(value: str, field: str) -> str:
    found = _words(value, field, 200)
    if "\n" in found:
        raise Invalid("The text cannot be kept.", fields={field: "One line only."})
    return found


def _words(value: str, field: str, limit: int) -> str:
    """Text that must be given; Invalid beside the field for none, too much, or control characters."""
    try:
        found = told.text(value)
    except ValueError as error:
        raise Invalid("The text cannot be kept.", fields={field: str(error)}) from error
    if not found:
        raise Invalid("Something is missing.", fields={field: "This is needed."})
    if len(found) > limit:
        problem = f"At most {limit:,} characters; these are {len(found):,}."
        raise Invalid("The text is too long.", fields={field: problem})
    return found
