"""One review as its signers read it: the question, who signs, the evidence of the live round, who decided what."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from apps.accounts import policy
from apps.core.actor import Actor
from apps.reviews import deadlines, evidence, targets_of
from apps.reviews import selectors as reviews
from apps.reviews.models import Decision, Review, Round
from apps.reviews.reads import expiry, independence
from apps.reviews.reads import findings as finding_rows
from apps.reviews.selectors import Asked
from apps.web import addresses, cells, status, words
from apps.web.pages import (
    deciding,
    decision_box,
    deployments,
    discussion,
    findings,
    review_brief,
    review_claims,
    review_evidence,
    review_viewed,
)
from apps.web.pages import independence as independence_pages
from apps.web.pages.review_brief import Brief
from apps.web.pages.review_evidence import Evidence
from apps.web.pages.review_viewed import Ticks
from apps.web.parts import (
    Action,
    Cell,
    Chip,
    Column,
    Crumb,
    DecisionBox,
    Notice,
    PageHeader,
    Row,
    Table,
)

# So many of what is over are shown at once; the rest is folded.
UNFOLDED = 5


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the quorum with the names of who signed or who may."""

    title: str
    chip: Chip
    signed: Sequence[str]
    asked: str


@dataclass(frozen=True, slots=True)
class VoidRound:
    """A round that ended, and why."""

    label: str
    reason: str
    digest: str
    at: Cell
    decisions: str
    different: str


@dataclass(frozen=True, slots=True)
class ReviewPage:
    """Everything on the page of a review."""

    header: PageHeader
    review: Review
    justification: str
    notices: Sequence[Notice]
    newer: Sequence[str]
    new_round: Action | None
    steps: Sequence[Step]
    round: Round | None
    as_of: str
    brief: Brief | None
    box: DecisionBox | None
    evidence: Evidence | None
    ticks: Ticks | None
    claims: Table | None
    statement: str
    decisions: Table | None
    earlier_decisions: Table | None
    voids: Sequence[VoidRound]
    earlier_voids: Sequence[VoidRound]
    findings: Table | None
    finding_acts: Sequence[Action]
    discussion: discussion.Discussion
    why_not: str
    aside: list[str]
    acts: Sequence[Action]
    history_url: str


def page(actor: Actor, review: Review) -> ReviewPage:
    """The page for this reader."""
    verbs = policy.verbs_on(actor, review)
    rounds = list(reviews.rounds_of(review))
    live = next((each for each in rounds if each.is_live), None)
    asked = reviews.who_is_asked(review)
    newer = (
        evidence.newer(live, reviews.document(review)) if live and review.state.is_active else []
    )
    why_not = reviews.why_not(actor, review)
    shown = live or (rounds[0] if rounds else None)
    found, finding_acts = findings.of_review(actor, review)
    box = _box(actor, review, verbs)
    decided = _decisions(review, rounds)
    voids = [_void(each, rounds) for each in rounds if not each.is_live]
    return ReviewPage(
        header=_header(review, asked, live, rounds),
        review=review,
        justification=review.justification,
        notices=_notices(review, rounds, live) + independence_pages.conflicts(actor, review),
        newer=newer,
        new_round=_new_round(review, verbs, live, newer),
        steps=[_step(review, each) for each in asked],
        round=shown,
        as_of=f"EVT-{shown.ledger_size}" if shown else "",
        brief=review_brief.of(actor, review, shown, asked, box),
        box=box,
        evidence=review_evidence.read(review, shown) if shown else None,
        ticks=_ticks(actor, review, shown),
        claims=review_claims.table(actor, review, shown),
        statement=_statement(review, live) if live and not why_not else "",
        decisions=decided[0],
        earlier_decisions=decided[1],
        voids=voids[:UNFOLDED],
        earlier_voids=voids[UNFOLDED:],
        findings=found,
        finding_acts=finding_acts,
        discussion=discussion.of_review(actor, review, verbs),
        why_not=why_not,
        aside=[
            f"{row.user} stepped aside: {row.reason}" for row in independence.recusals_of(review)
        ],
        acts=_acts(
            review,
            verbs,
            why_not,
            may_step_aside=reviews.refusal_to_step_aside(actor, review) is None,
        )
        + independence_pages.acts(actor, review, verbs),
        history_url=addresses.audit(review.key),
    )


def _statement(review: Review, live: Round) -> str:
    return deciding.statement(
        review, live, finding_rows.counted(finding_rows.open_findings(review.version))
    )


def _ticks(actor: Actor, review: Review, shown: Round | None) -> Ticks | None:
    """What this reader has viewed of the round that the page shows."""
    if shown is None:
        return None
    rows = finding_rows.findings_of(review.version)
    there = review_viewed.findings_shown(review, rows)
    return review_viewed.ticks(actor, review, shown, rows, findings_shown=there)


def _box(actor: Actor, review: Review, verbs: Collection[str]) -> DecisionBox | None:
    """The gates of the version, without the act that leads to where the reader is."""
    if not _is_current(review):
        return None
    box = decision_box.box(actor, review.version, review, verbs)
    if box is None:
        return None
    here = addresses.review(review.pk)
    rows = [
        replace(row, act=None) if row.act is not None and row.act.url == here else row
        for row in box.requirements
    ]
    return replace(box, requirements=rows)


def _is_current(review: Review) -> bool:
    """The gates speak of the version's latest review only."""
    latest = reviews.latest_review(review.version)
    return (
        latest is not None
        and latest.pk == review.pk
        and (review.state.is_active or review.state == "promoted")
    )


def _header(
    review: Review, asked: Sequence[Asked], live: Round | None, rounds: Sequence[Round]
) -> PageHeader:
    version = review.version
    where = decision_box.in_words(review.target_list)
    needed = sum(each.step.count for each in asked)
    signed = needed - sum(each.missing for each in asked)
    chips = [status.chip("review", review.status)]
    if live is not None:
        tone = "good" if signed == needed else "info"
        chips.append(Chip(f"{signed} of {needed} signed", tone, "sign"))  # type: ignore[arg-type]
    if review.state.is_active and live is None:
        chips.append(Chip("Evidence void", "bad", "stop"))
    url = addresses.version(version.model.name, version.number)
    return PageHeader(
        title=f"May {version} enter {where}?",
        ref=review.key,
        chips=chips,
        meta=[
            cells.person(f"{review.submitted_by} asks"),
            cells.when(review.created_at),
            cells.link(f"{version}", url),
            cells.text(f"{review.policy_version.document['title']}, {review.policy_version}"),
            cells.text(f"risk tier {version.model.risk_tier}"),
            *_wanted(review),
            *_expiry(review, rounds),
        ],
        crumbs=[Crumb("Reviews", "/reviews/"), Crumb(review.key)],
    )


def _wanted(review: Review) -> list[Cell]:
    """The day the submitter named, if she did."""
    return [cells.text(f"wanted by {words.date(review.wanted_by)}")] if review.wanted_by else []


def _expiry(review: Review, rounds: Sequence[Round]) -> list[Cell]:
    """When the request expires if nobody completes it; nothing where it waits for nobody or its policy says nothing."""
    if review.state not in deadlines.WAITING or not rounds:
        return []
    at = expiry.of_round(review, rounds[0].created_at)
    return [cells.text(f"expires on {words.utc(at)}")] if at is not None else []


def _notices(review: Review, rounds: Sequence[Round], live: Round | None) -> list[Notice]:
    """What a reader must know before she reads on."""
    notices = []
    if review.state == "signed":
        reasons = [part for part in review.note.split("; ") if part]
        text = "Every signature is there and stands. Promotion waits for:"
        notices.append(Notice(text, "warn", "Signed, not promoted", reasons))
    if review.state == "changes_requested":
        text = "The submitter answers with new evidence: what was asked for stands with the decision below."
        notices.append(Notice(text, "warn", "Changes were asked for"))
    if review.state in {"rejected", "withdrawn", "expired"}:
        notices.append(Notice(review.note, "quiet", review.state.label))
    if review.state.is_active and live is None and rounds:
        text = f"{rounds[0].void_reason[:1].upper()}{rounds[0].void_reason[1:]}. What was signed on it counts no more."
        notices.append(Notice(text, "bad", f"The evidence of round {rounds[0].number} is void"))
    moved = evidence.tier_since(live) if review.state.is_active and live is not None else None
    if moved is not None:
        text = f"It was {moved[0]} when this round was made and is {moved[1]} now (1 is the highest). The review keeps its policy."
        notices.append(Notice(text, "warn", "The risk tier changed since"))
    return notices


def _new_round(
    review: Review, verbs: Collection[str], live: Round | None, newer: Sequence[str]
) -> Action | None:
    wanted = live is None or newer or review.state == "changes_requested"
    if not review.state.is_active or not wanted or "review.submit" not in verbs:
        return None
    url = addresses.review(review.pk, "new-round/")
    return Action("Make a new round", url, "" if live else "primary", "refresh", dialog=True)


def _step(review: Review, asked: Asked) -> Step:
    done = asked.missing == 0
    chip = Chip("Signed", "good", "sign") if done else Chip("Waiting", "unknown", "clock")
    if not done and review.state != "open":
        chip = Chip("Not signed", "quiet")
    lent = {row.delegate_id: row.delegator for row in asked.delegated}
    people = [
        f"{user} for {lent[user.pk]}" if user.pk in lent else str(user) for user in asked.people
    ]
    more = f" and {len(people) - 4} more" if len(people) > 4 else ""
    text = ""
    if not done and review.state == "open":
        text = (
            ", ".join(people[:4]) + more
            if people
            else (f"nobody can: an administrator must give somebody the role {asked.step.role}")
        )
    signed = [_signed(decision) for decision in asked.signed]
    return Step(f"{asked.step.title} ({asked.step.role})", chip, signed, text)


def _signed(decision: Decision) -> str:
    """Who signed and when; a signature stands also after its giver has left."""
    left = (
        "" if decision.user.is_active else " (the account is closed by now; the signature stands)"
    )
    return f"{deciding.signer(decision)}, {words.utc(decision.created_at)}{left}"


def _decisions(review: Review, rounds: Sequence[Round]) -> tuple[Table | None, Table | None]:
    """Those of the live round and the newest few others; and what is left, to be unfolded."""
    rows = [
        _decision(review, each, decision)
        for each in rounds
        for decision in reversed(list(each.decisions.all()))
    ]
    live = sum(len(each.decisions.all()) for each in rounds if each.is_live)
    shown = live + UNFOLDED
    return _table("Decisions", rows[:shown]), _table("Earlier decisions", rows[shown:])


def _table(caption: str, rows: Sequence[Row]) -> Table | None:
    names = ("Who", "Decision", "Why", "Round", "When")
    return Table(caption, [Column(name) for name in names], rows) if rows else None


def _decision(review: Review, round_: Round, decision: Decision) -> Row:
    url = addresses.review(review.pk, f"decisions/{decision.pk}/")
    note = "" if round_.is_live else "void with its round"
    chip = status.chip("decision", decision.outcome)
    return Row(
        [
            cells.link(deciding.signer(decision), url, note=f"{decision.role}, receipt"),
            cells.chip(chip if round_.is_live else replace(chip, tone="quiet"), note=note),
            cells.text(decision.comment),
            cells.text(str(round_.number)),
            cells.when(decision.created_at),
        ],
        id=f"decision-{decision.pk}",
    )


def _void(round_: Round, rounds: Sequence[Round]) -> VoidRound:
    later = next((each for each in rounds if each.number == round_.number + 1), None)
    people = [decision.signer_name for decision in round_.decisions.all()]
    return VoidRound(
        f"Round {round_.number}",
        round_.void_reason,
        round_.digest,
        cells.when(round_.voided_at),
        f"Void with it: {', '.join(people)}" if people else "Nobody had signed it",
        _different(round_, later),
    )


def _different(round_: Round, later: Round | None) -> str:
    """What the next round has otherwise than this one."""
    if later is None:
        return "No round has taken its place yet"
    parts = evidence.between(round_, later)
    said = f"Different in round {later.number}: {', '.join(parts)}"
    return said if parts else f"Round {later.number} has the same contents"


def _acts(
    review: Review, verbs: Collection[str], why_not: str, *, may_step_aside: bool
) -> list[Action]:
    """What the reader can do now; what she cannot is in the sentence `why_not`."""
    acts = []
    if not why_not:
        url = addresses.review(review.pk, "decide/")
        acts.append(Action("Decide and sign…", url, "primary", "sign", dialog=True))
    if may_step_aside:
        url = addresses.review(review.pk, "step-aside/")
        acts.append(Action("Step aside…", url, "", "undo", dialog=True))
    if review.state == "signed":
        acts += _entering(review, verbs)
    if review.state.is_active and "review.withdraw" in verbs:
        url = addresses.review(review.pk, "withdraw/")
        acts.append(Action("Withdraw…", url, "", "undo", dialog=True))
    return acts


def _entering(review: Review, verbs: Collection[str]) -> list[Action]:
    """What brings a signed version into what it was signed for: a promotion, and for an environment a deployment."""
    left = targets_of.left(review)
    at_once = targets_of.entered_at_once(review, left)
    acts = []
    if at_once and "review.submit" in verbs:
        url = addresses.review(review.pk, "promote/")
        acts.append(Action("Promote now", url, "primary", "flag", post=True))
    if set(left) - set(at_once) and "deployment.record" in verbs:
        acts.append(deployments.record_action(review.version))
    return acts
