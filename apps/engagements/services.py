"""The verbs of an audit engagement: open, close, let it expire, draw a sample, conclude, write a note, raise a finding, report.

What an auditor does takes an open engagement that names her, and no part in what she judges: neither author of the version nor
one who decided on it. That is asked when the engagement is opened, and again of each conclusion: work may have gone on since.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from apps.accounts import policy
from apps.accounts import selectors as accounts
from apps.accounts import services as accounts_services
from apps.accounts.models import User
from apps.accounts.services.lending import LEND
from apps.accounts.verbs import AUDITOR
from apps.audits.log import verb
from apps.core import canonical, clock
from apps.core.actor import Actor
from apps.core.errors import Conflict, Forbidden, Invalid
from apps.engagements import drawing, events, frameworks, selectors
from apps.engagements.locks import lock_engagement
from apps.engagements.models import (
    About,
    Conclusion,
    Ending,
    Engagement,
    EngagementAuditor,
    EngagementEnd,
    EngagementFinding,
    Note,
    Sample,
    SampledDecision,
    ScopedModel,
)
from apps.registry import selectors as registry
from apps.registry.models import ModelVersion, RegisteredModel
from apps.reviews import evidence as review_evidence
from apps.reviews import services as reviews
from apps.reviews.models import Decision, Finding
from apps.reviews.services import NewFinding, wording

MOST_MODELS: Final = 100
MOST_VERSIONS: Final = 500
MOST_AUDITORS: Final = 20
MOST_SAMPLED: Final = 500
LONGEST: Final = dt.timedelta(days=366)
_SEED = re.compile(r"[A-Za-z0-9._-]{8,100}")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEngagement:
    """What is to be audited against what, by whom, until when."""

    title: str
    purpose: str
    framework: str
    period_from: dt.date
    period_to: dt.date
    ends_on: dt.date
    models: Sequence[int]
    auditors: Sequence[int]


def open_engagement(actor: Actor, new: NewEngagement) -> Engagement:
    """Open an engagement, and lend its auditors the role auditor on its models until the end of its last day.

    Refuses: who may not give that role; a scope without models or versions, or with too many; a period that is not over or begun
    yet, or a last day that is not to come or is more than a year away; an auditor who made part of a version in scope or decided
    on it, who is a service, deactivated, or the actor herself.
    """
    policy.require(actor, LEND)
    values = _values(new)
    with verb(actor) as v:
        policy.require_fresh(actor, LEND)
        models = _models(actor, new.models)
        auditors = _auditors(new.auditors)
        row = Engagement.objects.create(
            **values, opened_by_id=_person(actor).pk, opened_at=clock.now()
        )
        ScopedModel.objects.bulk_create(ScopedModel(engagement=row, model=each) for each in models)
        EngagementAuditor.objects.bulk_create(
            EngagementAuditor(engagement=row, user=each) for each in auditors
        )
        _require_scope(row, auditors)
        for each in auditors:
            accounts_services.lend_role(
                actor, AUDITOR, each, on=models, until=row.until, grounds=row.scope_id
            )
        v.record(
            events.EngagementOpened(
                engagement=str(row.uuid),
                title=row.title,
                purpose=row.purpose,
                framework=row.framework,
                framework_digest=row.framework_digest,
                period_from=row.period_from.isoformat(),
                period_to=row.period_to.isoformat(),
                ends_on=row.ends_on.isoformat(),
                models=tuple(each.pk for each in models),
                auditors=tuple(each.pk for each in auditors),
            )
        )
    return row


def close_engagement(actor: Actor, engagement: Engagement, *, reason: str) -> EngagementEnd:
    """End it, and what its auditors may, before its time. For whoever may give the role; Conflict where it is over."""
    policy.require(actor, LEND)
    reason = wording.text(reason, "reason")
    return _end(actor, engagement, Ending.CLOSED, reason)


def expire(actor: Actor, engagement: Engagement) -> EngagementEnd:
    """Write down that its time is over. The auditors' access ended then already. Conflict where it is not, or was told before."""
    if clock.now() < engagement.until:
        raise Conflict(f"{engagement.key} lasts until {engagement.ends_on}.")
    return _end(actor, engagement, Ending.EXPIRED, "")


def _end(actor: Actor, engagement: Engagement, how: Ending, reason: str) -> EngagementEnd:
    with verb(actor) as v:
        lock_engagement(engagement.pk)
        if EngagementEnd.objects.filter(engagement=engagement).exists():
            raise Conflict(f"{engagement.key} is over already.")
        row = EngagementEnd.objects.create(
            engagement=engagement, how=how, reason=reason, by_id=actor.user_id, at=clock.now()
        )
        accounts_services.take_back(actor, engagement.scope_id)
        models = tuple(engagement.scoped.order_by("model_id").values_list("model_id", flat=True))
        v.record(
            events.EngagementEnded(
                engagement=str(engagement.uuid), how=how.value, reason=reason, models=models
            )
        )
    return row


def draw_sample(actor: Actor, engagement: Engagement, *, size: int, seed: str = "") -> Sample:
    """Draw decisions from the population by the rule of `drawing`; the drawing stays, however often one draws.

    Two at once draw one after the other. Refuses: who does not audit it, a size of 0 or above 500, a seed that is not plain
    letters, an empty population.
    """
    seed = _seed(seed)
    if not 1 <= size <= MOST_SAMPLED:
        problem = f"From 1 to {MOST_SAMPLED}."
        raise Invalid("The sample cannot have this size.", fields={"size": problem})
    with verb(actor) as v:
        _work(actor, engagement)
        rows = dict(selectors.population(engagement).values_list("statement_digest", "pk"))
        if not rows:
            raise Conflict("No decision was signed in the period: there is nothing to draw from.")
        drawn = drawing.draw(seed, rows, size)
        sample = Sample.objects.create(
            engagement=engagement,
            number=engagement.samples.count() + 1,
            seed=seed,
            rule=drawing.RULE,
            asked=size,
            population=len(rows),
            population_digest=drawing.population_digest(rows),
            drawn_by_id=_person(actor).pk,
            drawn_at=clock.now(),
        )
        SampledDecision.objects.bulk_create(
            SampledDecision(
                sample=sample, position=position, decision_id=rows[digest], ticket=ticket
            )
            for position, (ticket, digest) in enumerate(drawn, 1)
        )
        v.record(
            events.SampleDrawn(
                engagement=str(engagement.uuid),
                sample=str(sample.uuid),
                number=sample.number,
                seed=seed,
                rule=drawing.RULE,
                asked=size,
                population=sample.population,
                population_digest=sample.population_digest,
                decisions=tuple(digest for _ticket, digest in drawn),
            )
        )
    return sample


def conclude(
    actor: Actor, item: SampledDecision, *, exception: bool, text: str, after: int | None = None
) -> Conclusion:
    """Say whether a sampled decision is an exception; an exception says why. A later conclusion is added, none changes.

    `after` is how many there were when she read them. Refuses: who does not audit it, who made part of the version or decided
    on it, an exception without words, and (Conflict) where a colleague concluded meanwhile.
    """
    text = wording.text(text, "text", required=exception)
    engagement = item.sample.engagement
    with verb(actor) as v:
        _work(actor, engagement)
        person, version = _person(actor), item.decision.review.version
        if problem := _obstacle([person], [version]):
            raise Forbidden(problem, hint="Another auditor of the engagement concludes on it.")
        number = Conclusion.objects.filter(item=item).count() + 1
        if after is not None and after != number - 1:
            raise Conflict(
                "Somebody concluded on this decision while you were reading.",
                hint="Read it, then say whether you conclude otherwise.",
            )
        row = Conclusion(
            item=item, number=number, exception=exception, text=text, author=person, at=clock.now()
        )
        row.digest = digest_of_conclusion(row)
        row.save(force_insert=True)
        v.record(
            events.ConclusionRecorded(
                engagement=str(engagement.uuid),
                sample=str(item.sample.uuid),
                position=item.position,
                decision=item.decision.statement_digest,
                conclusion=row.pk,
                number=number,
                exception=exception,
                digest=row.digest,
                text=text,
            )
        )
    return row


def write_note(
    actor: Actor,
    engagement: Engagement,
    *,
    text: str,
    control: str = "",
    version: ModelVersion | None = None,
    item: SampledDecision | None = None,
) -> Note:
    """Add a workpaper note about a control, a version in scope, a sampled decision, or (none of them) the engagement. It stays.

    A note on a control may also name the version. Refuses: who does not audit it, a control that the framework does not have,
    a version or decision outside the scope, no text.
    """
    text = wording.text(text, "text")
    _require_part(engagement, control, version, item)
    about = _about(control, version, item)
    with verb(actor) as v:
        _work(actor, engagement)
        row = Note(
            engagement=engagement,
            number=engagement.notes.count() + 1,
            about=about.value,
            control=control,
            version=version,
            item=item,
            text=text,
            author=_person(actor),
            at=clock.now(),
        )
        row.digest = digest_of_note(row)
        row.save(force_insert=True)
        v.record(
            events.NoteWritten(
                engagement=str(engagement.uuid),
                note=row.pk,
                number=row.number,
                about=about.value,
                which=which(row),
                digest=row.digest,
                text=text,
            )
        )
    return row


def raise_audit_finding(
    actor: Actor,
    engagement: Engagement,
    version: ModelVersion,
    new: NewFinding,
    *,
    control: str = "",
    item: SampledDecision | None = None,
) -> Finding:
    """Raise a finding about a version in scope out of the engagement; from then on it lives as every finding does.

    Refuses what `reviews.raise_finding` refuses, who does not audit it, and a version, control or decision outside the scope.
    """
    _require_part(engagement, control, version, item)
    with verb(actor) as v:
        # The model's and the version's lock come before the engagement's, as everywhere (registry.services.locks).
        finding = reviews.raise_finding(actor, version, new)
        _work(actor, engagement)
        EngagementFinding.objects.create(
            engagement=engagement, finding=finding, control=control, item=item
        )
        v.record(
            events.AuditFindingRaised(
                engagement=str(engagement.uuid),
                finding=finding.pk,
                version=version.pk,
                model=version.model_id,
                control=control,
                decision=item.decision.statement_digest if item else "",
            )
        )
    return finding


def record_report(actor: Actor, engagement: Engagement, *, form: str, data: bytes) -> str:
    """Note in the ledger that the report was taken, with its digest. For whoever may read the engagement."""
    digest = canonical.digest(data)
    with verb(actor) as v:
        v.record(
            events.ReportIssued(
                engagement=str(engagement.uuid), form=form, digest=digest, size=len(data)
            )
        )
    return digest


def which(row: Note) -> str:
    """What a note is about, as an id."""
    if row.item is not None:
        return f"sample {row.item.sample.number} decision {row.item.position}"
    version = f"version:{row.version_id}" if row.version_id else ""
    return " ".join(each for each in (row.control, version) if each)


def digest_of_note(row: Note) -> str:
    """The digest of all that a note says."""
    return canonical.digest_of(
        {
            "type": "countersign.workpaper_note.v1",
            "engagement": str(row.engagement.uuid),
            "number": row.number,
            "about": row.about,
            "which": which(row),
            "text": row.text,
            "nonce": str(row.nonce),
            "author": str(row.author.uuid),
            "at": row.at.isoformat(),
        }
    )


def digest_of_conclusion(row: Conclusion) -> str:
    """The digest of all that a conclusion says."""
    return canonical.digest_of(
        {
            "type": "countersign.audit_conclusion.v1",
            "sample": str(row.item.sample.uuid),
            "position": row.item.position,
            "decision": row.item.decision.statement_digest,
            "number": row.number,
            "exception": row.exception,
            "text": row.text,
            "nonce": str(row.nonce),
            "author": str(row.author.uuid),
            "at": row.at.isoformat(),
        }
    )


def _values(new: NewEngagement) -> dict[str, Any]:
    """The checked columns of a new engagement."""
    framework = frameworks.every().get(new.framework)
    problems = _day_problems(new)
    if framework is None:
        problems["framework"] = "Choose one of the list."
    for name, most in (("models", MOST_MODELS), ("auditors", MOST_AUDITORS)):
        problem = _count_problem(getattr(new, name), most)
        if problem:
            problems[name] = problem
    if problems or framework is None:
        raise Invalid("The engagement cannot be opened like this.", fields=problems)
    return {
        "title": wording.line(new.title, "title"),
        "purpose": wording.text(new.purpose, "purpose"),
        "framework": framework.key,
        "framework_digest": framework.digest,
        "period_from": new.period_from,
        "period_to": new.period_to,
        "ends_on": new.ends_on,
    }


def _count_problem(given: Sequence[int], most: int) -> str:
    if not given:
        return "Choose at least one."
    return f"At most {most}; these are {len(set(given))}." if len(set(given)) > most else ""


def _day_problems(new: NewEngagement) -> dict[str, str]:
    today = clock.now().date()
    problems = {}
    if new.period_from > new.period_to:
        problems["period_to"] = "The period must not end before it begins."
    elif new.period_to > today:
        problems["period_to"] = (
            "The period must be over: today at the latest, so that the scope stays as it is."
        )
    if not today <= new.ends_on <= today + LONGEST:
        problems["ends_on"] = "Today or later, and within a year."
    return problems


def _models(actor: Actor, wanted: Iterable[int]) -> list[RegisteredModel]:
    ids = set(wanted)
    found = list(registry.visible_models(actor).filter(pk__in=ids).order_by("pk"))
    if len(found) != len(ids):
        problem = "One of them was deleted, or is not yours to see."
        raise Invalid("The scope cannot be.", fields={"models": problem})
    return found


def _auditors(wanted: Iterable[int]) -> list[User]:
    found = [accounts.get_user(pk) for pk in sorted(set(wanted))]
    for each in found:
        if not each.is_active or not each.is_human:
            problem = f"{each} is no person who can sign in."
            raise Invalid("She cannot audit.", fields={"auditors": problem})
    return found


def _require_scope(row: Engagement, auditors: Sequence[User]) -> None:
    """There is something to audit, not too much of it, and none of it is the auditors' own."""
    versions = list(selectors.versions_of(row)[: MOST_VERSIONS + 1])
    if not versions:
        problem = "No version of these models was there in the period."
        raise Invalid("There is nothing to audit.", fields={"models": problem})
    if len(versions) > MOST_VERSIONS:
        problem = (
            f"More than {MOST_VERSIONS} versions fall into it: split it into several engagements."
        )
        raise Invalid("The scope is too large.", fields={"models": problem})
    if problem := _obstacle(auditors, versions):
        raise Invalid("Not independent.", fields={"auditors": problem})


def _obstacle(people: Sequence[User], versions: Sequence[ModelVersion]) -> str:
    """Who of them made part of a version, or decided on it, and what; the first that is found, or nothing."""
    ids = {each.pk: each for each in people}
    decided = Decision.objects.filter(review__version__in=versions, user__in=ids)
    for user, model, number in decided.values_list(
        "user_id", "review__version__model__name", "review__version__number"
    )[:1]:
        return _own_work(ids[user], f"decided on {model} v{number}")
    for version in versions:
        made = review_evidence.authors(version, version.created_by_id)
        for user in ids.keys() & made.keys():
            return _own_work(ids[user], f"is among the authors of {version} ({made[user][0]})")
    return ""


def _own_work(person: User, why: str) -> str:
    return f"{person} {why}, and nobody audits their own work."


def _require_part(
    engagement: Engagement,
    control: str,
    version: ModelVersion | None,
    item: SampledDecision | None,
) -> None:
    """What is named belongs to the engagement. Raises NotFound."""
    if control:
        frameworks.get(engagement.framework).control(control)
    if version is not None:
        selectors.get_version(engagement, version.pk)
    if item is not None and item.sample.engagement_id != engagement.pk:
        raise Conflict("This decision was drawn in another engagement.")


def _about(control: str, version: ModelVersion | None, item: SampledDecision | None) -> About:
    if item is not None:
        return About.ITEM
    if control:
        return About.CONTROL
    return About.VERSION if version is not None else About.ENGAGEMENT


def _seed(given: str) -> str:
    """The auditor's own seed, or 128 random bits."""
    given = given.strip()
    if given and not _SEED.fullmatch(given):
        problem = "8 to 100 letters, digits, dots, dashes or underscores; or leave it empty."
        raise Invalid("The seed cannot be used.", fields={"seed": problem})
    return given or drawing.new_seed()


def _work(actor: Actor, engagement: Engagement) -> None:
    """Take the engagement's lock; the actor may add to its papers at this moment. Raises Forbidden, Conflict."""
    lock_engagement(engagement.pk)
    current = Engagement.objects.select_related("end").get(pk=engagement.pk)
    if not current.is_open:
        raise Conflict(
            f"{current.key} is over: its papers stay as they are.",
            hint="Whoever administers people can open another.",
        )
    if actor.scopes is not None or not selectors.is_auditor(actor, current):
        raise Forbidden(
            f"{actor.label} does not audit {current.key}, or comes with a token.",
            hint="Only its auditors, signed in, add to its papers.",
        )


def _person(actor: Actor) -> User:
    if actor.user_id is None:
        raise Forbidden("Auditing is the business of people.")
    return accounts.get_user(actor.user_id)
