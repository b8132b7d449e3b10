"""What happens to an approval after it was given: what questions it, and the way back in an emergency."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.urls import reverse

from apps.core import clock
from apps.core.actor import Actor
from apps.registry import selectors as registry
from apps.registry.models import ModelVersion, RegisteredModel
from apps.reviews import emergency, rereview
from apps.reviews.emergency import WayBack
from apps.reviews.models import Rereview, Rollback
from apps.web import addresses, cells, words
from apps.web.pages import decision_box
from apps.web.pages.reviews import Waiting
from apps.web.parts import (
    Action,
    Cell,
    Chip,
    Column,
    Crumb,
    Fact,
    Notice,
    PageHeader,
    Row,
    SignBox,
    Table,
)


def url(row: Rollback) -> str:
    return reverse("web:rollback", args=[row.pk])


def notice(version: ModelVersion) -> Notice | None:
    """What a reader of the version must know about its approval; None if it stands unquestioned."""
    needs = [f"{need.reason[:1].upper()}{need.reason[1:]}." for need in rereview.needs(version)]
    if needs:
        text = (
            "It is where it is by an approval that is questioned. The deployment gate denies until people have signed "
            "again, and nothing is moved by itself:"
        )
        return Notice(text, "bad", "Re-review required", needs)
    waiting = [row for row in emergency.rollbacks_to(version) if not hasattr(row, "review")]
    if not waiting:
        return None
    row = waiting[0]
    text = f"{row.user} put it back into {row.target.label}. Somebody else reviews that by {words.utc(row.review_by)}."
    return Notice(text, "warn", "Rolled back in an emergency", url=url(row), url_label=row.key)


def acts(actor: Actor, version: ModelVersion, verbs: Collection[str]) -> list[Action]:
    """What the reader may do about the approval of a version."""
    name, number = version.model.name, version.number
    found = []
    if emergency.ways_for(actor, version):
        target = reverse("web:version-roll-back", args=[name, number])
        found.append(Action("Put back…", target, "danger", "undo", dialog=True))
    if "finding.raise" in verbs and registry.held_governed_targets(version):
        target = reverse("web:version-question", args=[name, number])
        found.append(Action("Question the approval…", target, "", "warn", dialog=True))
    return found


def notices(model: RegisteredModel) -> list[Notice]:
    """The versions of a model whose approval is questioned, each with why."""
    numbers = {row.pk: row for row in ModelVersion.objects.filter(model=model, decided=True)}
    return [
        Notice(
            "The deployment gate denies it until people have signed again:",
            "bad",
            f"v{numbers[pk].number}: re-review required",
            [f"{row.reason[:1].upper()}{row.reason[1:]}." for row in rows],
            url=addresses.version(model.name, numbers[pk].number),
            url_label="Open the version",
        )
        for pk, rows in rereview.standing(list(numbers)).items()
    ]


def ways_back(actor: Actor, model: RegisteredModel, verbs: Collection[str]) -> list[Action]:
    """The versions that this person could put back now, an act each."""
    if "target.rollback" not in verbs:
        return []
    versions = {
        way.version.number: way.version
        for way in emergency.ways_back(model)
        if emergency.refusal(actor, way.version, way.target) is None
    }
    return [
        Action(
            f"Put v{number} back…",
            reverse("web:version-roll-back", args=[model.name, number]),
            "danger",
            "undo",
            dialog=True,
        )
        for number in sorted(versions)
    ]


def question_box(version: ModelVersion) -> SignBox:
    """The form that declares what happened."""
    name, number = version.model.name, version.number
    held = decision_box.in_words(registry.held_governed_targets(version))
    return SignBox(
        title=f"Question the approval of {version}",
        statement=f"{version} is in {held} by an approval. From now on the deployment gate denies it until people have "
        "signed again. It stays where it is.",
        digest=version.manifest_digest,
        as_whom="you, who may raise findings",
        submit_label="Ask for a new review",
        action_url=reverse("web:version-question", args=[name, number]),
        cancel_url=addresses.version(name, number),
        digest_label="Files",
        stays="The reason and your name stay in the record.",
    )


def choices(found: Sequence[WayBack]) -> list[tuple[str, str]]:
    """The ways back as the form offers them."""
    return [(str(way.target), _choice(way)) for way in found]


def _choice(way: WayBack) -> str:
    label = way.target.label[:1].upper() + way.target.label[1:]
    return f"{label}, in place of v{way.holder.number}" if way.holder else f"{label}, now empty"


def roll_back_box(actor: Actor, version: ModelVersion, found: Sequence[WayBack]) -> SignBox:
    """What is about to be done, and what comes afterwards."""
    name, number = version.model.name, version.number
    path = emergency.path_of(version, found[0].target)
    days = words.plural(path.review_within_days, "day") if path else ""
    return SignBox(
        title=f"Put {version} back",
        statement=f"{version}, the last validly approved version, goes back at once, on the approval of "
        f"REV-{found[0].entry.review_id}. Nobody else signs first; somebody else reviews it within {days}.",
        digest=found[0].entry.evidence_digest,
        as_whom=f"{actor.label}, on call",
        submit_label="Put it back",
        action_url=reverse("web:version-roll-back", args=[name, number]),
        cancel_url=addresses.version(name, number),
        danger=True,
        stays="The reason and your name stay in the record.",
    )


@dataclass(frozen=True, slots=True)
class RollbackPage:
    """One rollback: what was done by whom, and what others said of it."""

    header: PageHeader
    notice: Notice | None
    facts: Sequence[Fact]
    reason: str
    judged: Sequence[Fact]
    comment: str
    why_not: str
    acts: Sequence[Action]


def rollback(actor: Actor, row: Rollback) -> RollbackPage:
    """The page for this reader."""
    judged = getattr(row, "review", None)
    refused = emergency.refusal_to_review(actor, row)
    act = Action(
        "Review it…", reverse("web:rollback-review", args=[row.pk]), "primary", "sign", dialog=True
    )
    return RollbackPage(
        header=_header(row),
        notice=_waits(row) if judged is None else None,
        facts=[
            Fact("Version", cells.link(str(row.version), _version(row.version))),
            Fact("Put back into", cells.text(row.target.label)),
            Fact("In place of", _replaced(row)),
            Fact("On the approval of", _approval(row)),
            Fact("Under", cells.text(f"{row.policy_version.title}, {row.policy_version}")),
            Fact("By", cells.person(row.signer_name)),
            Fact("When", cells.when(row.created_at)),
            Fact("Statement", cells.digest(row.statement_digest)),
        ],
        reason=row.reason,
        judged=[]
        if judged is None
        else [
            Fact("By", cells.person(f"{judged.signer_name}, {judged.role}")),
            Fact("When", cells.when(judged.created_at)),
            Fact("Statement", cells.digest(judged.statement_digest)),
        ],
        comment=judged.comment if judged else "",
        why_not=refused.message if refused is not None and judged is None else "",
        acts=[act] if refused is None else [],
    )


def _header(row: Rollback) -> PageHeader:
    return PageHeader(
        title=f"{row.version} was put back into {row.target.label}",
        ref=row.key,
        chips=[chip(row)],
        meta=[cells.person(str(row.user)), cells.when(row.created_at)],
        crumbs=[
            Crumb("Models", "/models/"),
            Crumb(row.version.model.name, addresses.model(row.version.model.name)),
            Crumb(row.key),
        ],
    )


def chip(row: Rollback) -> Chip:
    """How a rollback stands."""
    judged = getattr(row, "review", None)
    if judged is not None:
        return (
            Chip("Confirmed", "good", "sign") if judged.accepts else Chip("Refused", "bad", "stop")
        )
    if row.review_by <= clock.now():
        return Chip("Review overdue", "bad", "clock")
    return Chip("To be reviewed", "warn", "clock")


def _waits(row: Rollback) -> Notice:
    people = ", ".join(str(person) for person in emergency.may_review(row)[:6]) or "nobody yet"
    text = f"Whoever signs under the policy says by {words.utc(row.review_by)} whether it was right: {people}."
    return Notice(text, "warn", "Nobody has reviewed this yet")


def _version(version: ModelVersion) -> str:
    return addresses.version(version.model.name, version.number)


def _replaced(row: Rollback) -> Cell:
    if row.replaced is None:
        return cells.missing("nothing was there")
    return cells.link(
        f"v{row.replaced.number}", addresses.version(row.version.model.name, row.replaced.number)
    )


def _approval(row: Rollback) -> Cell:
    return cells.link(f"REV-{row.earlier.review_id}", addresses.review(row.earlier.review_id))


def review_box(row: Rollback) -> SignBox:
    """What somebody else signs about it."""
    return SignBox(
        title=f"Review {row.key}",
        statement=f"{row.signer_name} put {row.version} back into {row.target.label} alone: “{row.reason}”. "
        "You sign whether that was right. If not, the version needs a new review.",
        digest=row.statement_digest,
        as_whom="you, in a role that signs under its policy",
        submit_label="Sign",
        action_url=reverse("web:rollback-review", args=[row.pk]),
        cancel_url=url(row),
        digest_label="Statement",
    )


def table(model: RegisteredModel) -> Table | None:
    """Every rollback of a model; None where there was none."""
    rows = [
        Row(
            [
                cells.link(row.key, url(row)),
                cells.text(f"v{row.version.number} into {row.target.label}", note=row.reason),
                cells.chip(chip(row)),
                cells.person(str(row.user)),
                cells.when(row.created_at),
            ]
        )
        for row in emergency.rollbacks_of(model)
    ]
    columns = [Column(name) for name in ("Rollback", "What", "Review", "By", "When")]
    return Table("Emergency rollbacks", columns, rows) if rows else None


def waiting(actor: Actor) -> list[Waiting]:
    """What waits for this person at home: approvals to renew, rollbacks to review."""
    to_renew = [_to_renew(version, why) for version, why in rereview.to_renew(actor).items()]
    return to_renew + [_to_review(row) for row in emergency.to_review(actor)]


def _to_renew(version: ModelVersion, why: Sequence[Rereview]) -> Waiting:
    address = addresses.version(version.model.name, version.number)
    more = f" and {len(why) - 1} more" if len(why) > 1 else ""
    fact = f"{why[0].reason[:1].upper()}{why[0].reason[1:]}{more}."
    chip_ = Chip("Re-review required", "bad", "warn")
    return Waiting(str(version), address, fact, chip_, Action("Submit", f"{address}submit/"))


def _to_review(row: Rollback) -> Waiting:
    fact = f"{row.version} was put back into {row.target.label} by {row.user}; review it by {words.utc(row.review_by)}."
    return Waiting(
        f"{row.key}: {row.reason[:80]}", url(row), fact, chip(row), Action("Review it", url(row))
    )
