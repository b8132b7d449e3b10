"""Who gets which answer where, as data: one row per route and method.

Add a row for every new route of `apps/web/urls.py`; tests/web/test_permission_matrix.py fails for a route without one.

    Row("web:model-settings", lambda w: [w.model.name], post={}, may=holders("model.manage"), denied=403, unseen=404, ok=422)

`may` are the visitors that get `ok`; of the others an outsider gets `unseen`, a member `denied`, and a stranger is sent
to sign in (302) unless the page is `open`. With `post` the row is about POST with that form (an empty one is the least
harmful: whoever may gets 422). `statuses` overrules for single visitors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from apps.accounts.verbs import ROLES, SIGNING_ROLES
from apps.audits import selectors as audits
from tests.web.world import ANONYMOUS, OUTSIDER, VISITORS, World

SIGNED_IN = frozenset(VISITORS) - {ANONYMOUS}
MEMBERS = frozenset(ROLES)
EVERYBODY = frozenset(VISITORS)
ADMINISTRATOR = frozenset({"administrator"})


@dataclass(frozen=True, slots=True)
class Row:
    """One route and method with the expected status of each visitor."""

    route: str
    args: Callable[[World], Sequence[Any]] = field(default=lambda world: ())
    may: frozenset[str] = SIGNED_IN
    ok: int = 200
    denied: int = 403
    unseen: int = 403
    post: Mapping[str, Any] | None = None
    query: str = ""
    statuses: Mapping[str, int] = field(default_factory=dict)

    @property
    def method(self) -> str:
        return "GET" if self.post is None else "POST"

    @property
    def name(self) -> str:
        """What the test is called."""
        return f"{self.method} {self.route}"

    def expected(self, visitor: str) -> int:
        """The status this visitor gets."""
        if visitor in self.statuses:
            return self.statuses[visitor]
        if visitor in self.may:
            return self.ok
        if visitor == ANONYMOUS:
            return 302
        return self.unseen if visitor == OUTSIDER else self.denied


def holders(*roles: str) -> frozenset[str]:
    """The visitors with one of these roles."""
    return frozenset(roles)


def _person(world: World) -> list[Any]:
    return [world.person.pk]


def _team(world: World) -> list[Any]:
    return [world.team.key]


def _only_administrators(
    route: str, args: Callable[[World], Sequence[Any]], *, form: bool
) -> list[Row]:
    rows = [Row(route, args, may=ADMINISTRATOR)]
    return [*rows, Row(route, args, may=ADMINISTRATOR, post={}, ok=422)] if form else rows


def _nothing(world: World) -> list[Any]:
    return []


def _change(world: World) -> list[Any]:
    return [world.change.pk]


def _standard(world: World) -> list[Any]:
    return ["standard"]


SIGNERS = frozenset(SIGNING_ROLES)

POLICIES = [
    Row("web:policies"),
    Row("web:policy-schema"),
    Row("web:policy", _standard),
    Row("web:policy-yaml", lambda w: ["standard", 1]),
    Row("web:policy-version", lambda w: ["standard", 1]),
    *_only_administrators("web:policy-propose", _nothing, form=True),
    *_only_administrators("web:policy-retire", _standard, form=True),
    Row("web:policy-change", _change),
    Row("web:policy-sign", _change, may=SIGNERS),
    Row("web:policy-sign", _change, may=SIGNERS, post={}, ok=422),
    Row("web:policy-simulate", _change, may=SIGNERS | ADMINISTRATOR, post={}, ok=302),
    *_only_administrators("web:policy-withdraw", _change, form=True),
]


ACCOUNT = [
    Row("web:health", may=EVERYBODY),
    Row("web:sign-in", may=SIGNED_IN, ok=302, statuses={ANONYMOUS: 200}),
    Row("web:sign-in", may=SIGNED_IN, ok=302, post={}, statuses={ANONYMOUS: 422}),
    Row("web:sign-out", may=SIGNED_IN, ok=302, post={}),
    Row("web:setup", may=EVERYBODY, ok=409),
    Row("web:setup", may=EVERYBODY, ok=409, post={}),
    Row("web:theme", may=EVERYBODY, ok=302, post={"theme": "dark"}),
    Row("web:shortcuts", may=SIGNED_IN, ok=302, post={"off": "1"}),
    Row("web:help"),
    Row("web:search", query="?q=churn"),
    Row("web:account"),
    Row("web:account-password"),
    Row("web:account-password", post={}, ok=422),
    Row("web:tokens"),
    Row("web:tokens", post={}, ok=422),
    Row(
        "web:token-revoke",
        lambda w: [w.token_uuid],
        post={},
        may=ADMINISTRATOR,
        ok=302,
        denied=404,
        unseen=404,
    ),
]

PEOPLE = [
    *_only_administrators("web:people", _nothing, form=False),
    *_only_administrators("web:person-new", _nothing, form=True),
    *_only_administrators("web:service-new", _nothing, form=True),
    *_only_administrators("web:person", _person, form=False),
    *_only_administrators("web:person-edit", _person, form=True),
    *_only_administrators("web:person-owners", lambda w: [w.service.pk], form=True),
    *_only_administrators("web:person-reset", _person, form=True),
    *_only_administrators("web:person-deactivate", _person, form=True),
    Row("web:person-reactivate", _person, may=ADMINISTRATOR, post={}, ok=409),
    Row("web:person-grant", _person, may=ADMINISTRATOR, post={}, ok=422),
    Row("web:person-revoke", _person, may=ADMINISTRATOR, post={}, ok=422),
    *_only_administrators("web:teams", _nothing, form=False),
    *_only_administrators("web:team-new", _nothing, form=True),
    *_only_administrators("web:team", _team, form=True),
    *_only_administrators("web:team-rename", _team, form=True),
    Row("web:team-revoke", _team, may=ADMINISTRATOR, post={}, ok=422),
    *_only_administrators("web:groups", _nothing, form=True),
    Row("web:group-revoke", may=ADMINISTRATOR, post={}, ok=422),
    Row("web:system", may=ADMINISTRATOR),
]

# Who makes and edits models, who signs, who reads the whole record.
MAKERS = frozenset({"contributor", "owner"})
READERS = frozenset({"auditor", "administrator"})


def _model(world: World) -> list[Any]:
    return [world.model.name]


def _version(world: World) -> list[Any]:
    return [world.model.name, world.version.number]


def _in_production(world: World) -> list[Any]:
    return [world.promoted.model.name, world.promoted.number]


def _replaced(world: World) -> list[Any]:
    """The version that is the last validly approved one now."""
    replaced = world.rollback.replaced
    assert replaced is not None
    return [replaced.model.name, replaced.number]


def _review(world: World) -> list[Any]:
    return [world.review.pk]


def _seen(route: str, args: Callable[[World], Sequence[Any]], query: str = "") -> Row:
    """A page that every member may read and an outsider may not know of."""
    return Row(route, args, may=MEMBERS, unseen=404, query=query)


def _form(
    route: str, args: Callable[[World], Sequence[Any]], may: frozenset[str], query: str = ""
) -> list[Row]:
    """A form on something that an outsider may not know of: to see, and to send empty."""
    return [
        Row(route, args, may=may, unseen=404, query=query),
        Row(route, args, may=may, unseen=404, query=query, post={}, ok=422),
    ]


def _environment(world: World) -> list[Any]:
    return ["lab"]


def _deployment(world: World) -> list[Any]:
    return [world.extra["deployment"].uuid]  # type: ignore[attr-defined]


RECORDERS = frozenset({"contributor", "owner", "on_call"})
DEPLOYMENTS = [
    Row("web:environments"),
    Row("web:environment", _environment, query="?on=2026-11-27"),
    *_only_administrators("web:environment-new", _nothing, form=True),
    *_only_administrators("web:environment-edit", _environment, form=True),
    *_form("web:model-retire", _model, frozenset({"owner"})),
    Row("web:model-bring-back", _model, may=frozenset({"owner"}), unseen=404, ok=409),
    Row("web:model-bring-back", _model, may=frozenset({"owner"}), unseen=404, post={}, ok=409),
    _seen("web:model-deployments", _model, query="?on=2026-11-27"),
    *_form("web:deployment-new", _version, RECORDERS),
    *_form("web:deployment-traffic", _deployment, RECORDERS),
    Row("web:deployment-end", _deployment, may=RECORDERS, unseen=404),
    Row(
        "web:deployment-end", _deployment, may=RECORDERS, unseen=404, post={"ended_at": "x"}, ok=422
    ),
]


MODELS = [
    Row("web:home"),
    Row("web:models", query="?q=churn&tier=1"),
    Row("web:model-new", may=MAKERS),
    Row("web:model-new", may=MAKERS, post={}, ok=422),
    _seen("web:model", _model),
    Row("web:model-settings", _model, may=MAKERS | ADMINISTRATOR, unseen=404),
    # A contributor edits the description only, an administrator the governance only.
    Row(
        "web:model-settings",
        _model,
        may=holders("owner"),
        unseen=404,
        post={},
        ok=422,
        statuses={"contributor": 302},
    ),
    Row(
        "web:model-settings",
        _model,
        may=ADMINISTRATOR,
        unseen=404,
        post={"act": "governance"},
        ok=422,
    ),
    *_form("web:version-new", _model, MAKERS),
    _seen("web:impact", _model),
    _seen("web:impact-compare", _model),
    _seen("web:impact-json", _model),
    Row("web:impact-edit", _model, may=MAKERS | SIGNERS, unseen=404),
    # It has a revision already, which an empty form does not start from.
    Row("web:impact-edit", _model, may=MAKERS | SIGNERS, unseen=404, post={}, ok=409),
    *_form("web:impact-sign", _model, holders("approver", "risk", "legal")),
    *_form("web:impact-notify", _model, MAKERS | SIGNERS),
    Row("web:impact-lower", _model, may=holders("owner"), unseen=404),
    # Nothing is demanded that could be lowered.
    Row("web:impact-lower", _model, may=holders("owner"), unseen=404, post={}, ok=409),
    _seen("web:version", _version),
    _seen("web:version-compare", _version),
    _seen("web:version-lineage", _version),
    _seen("web:version-files", _version),
    _seen("web:version-file", lambda w: [*_version(w), "model.bin"]),
    _seen("web:version-history", _version),
    Row("web:version-describe", _version, may=MAKERS, unseen=404),
    Row("web:version-describe", _version, may=MAKERS, unseen=404, post={}, ok=302),
    *_form(
        "web:version-leave", _in_production, holders("owner", "on_call"), "?target=stage:production"
    ),
    *_form("web:submit", _version, MAKERS),
    Row("web:draft-discard", lambda w: [w.draft.pk], may=MAKERS, unseen=404, post={}, ok=302),
    *_form("web:version-question", _in_production, SIGNERS | {"auditor"}),
    # After the rollback the version that it replaced is the one to come back.
    *_form("web:version-roll-back", _replaced, holders("on_call")),
    _seen("web:rollback", lambda w: [w.rollback.pk]),
    *_form("web:rollback-review", lambda w: [w.rollback.pk], holders("validator", "approver")),
]

REVIEWS = [
    Row("web:reviews", query="?status=open"),
    _seen("web:review", _review),
    *_form("web:review-decide", _review, SIGNERS),
    _seen("web:decision", lambda w: [w.decision.review_id, w.decision.pk]),
    # Who signs in a role that the policy does not ask for has nothing to step aside from.
    *_form("web:review-step-aside", _review, holders("validator", "approver")),
    *_form("web:review-delegate", _review, SIGNERS),
    Row("web:review-conflict", _review, may=MEMBERS, unseen=404),
    Row("web:review-conflict", _review, may=MEMBERS, unseen=404, post={}, ok=422),
    *_form("web:conflict-withdraw", lambda w: [w.extra["conflict"]], holders("owner")),
    Row("web:delegations"),
    Row(
        "web:delegation-end",
        lambda w: [w.extra["delegation"]],
        may=ADMINISTRATOR,
        denied=404,
        unseen=404,
    ),
    Row(
        "web:delegation-end",
        lambda w: [w.extra["delegation"]],
        may=ADMINISTRATOR,
        denied=404,
        unseen=404,
        post={},
        ok=422,
    ),
    *_form("web:review-withdraw", _review, MAKERS),
    Row("web:review-new-round", _review, may=MAKERS, unseen=404),
    Row("web:review-new-round", _review, may=MAKERS, unseen=404, post={}, ok=302),
    # Nothing is said of which section.
    Row("web:review-viewed", _review, may=MEMBERS, unseen=404, post={}, ok=422),
    Row("web:review-promote", _review, may=MAKERS, unseen=404, post={}, ok=409),
]


def _finding(world: World) -> list[Any]:
    return [world.finding.pk]


def _finding_act(act: str, may: frozenset[str], ok: int) -> Row:
    return Row(f"web:finding-{act}", _finding, may=may, unseen=404, post={}, ok=ok)


# The finding is open: it can be answered and its risk accepted, not yet re-tested, closed or re-opened.
FINDINGS = [
    _seen("web:version-findings", _version),
    *_form("web:finding-new", _version, SIGNERS | {"auditor"}),
    _seen("web:finding", _finding),
    _finding_act("respond", MAKERS, 422),
    _finding_act("retest", SIGNERS, 409),
    _finding_act("close", SIGNERS, 409),
    _finding_act("accept", holders("approver"), 422),
    _finding_act("reopen", SIGNERS | holders("auditor"), 409),
]


COMMENTERS = MAKERS | SIGNERS | holders("on_call")
NOBODY: frozenset[str] = frozenset()


def _thread(world: World) -> list[Any]:
    return [world.comment.thread_id]


def _comment(world: World) -> list[Any]:
    return [world.comment.pk]


DISCUSSION = [
    *_form("web:review-comment", _review, COMMENTERS),
    *_form("web:thread-reply", _thread, COMMENTERS),
    Row("web:thread-resolve", _thread, may=COMMENTERS, unseen=404, post={}, ok=302),
    # It is open.
    Row("web:thread-reopen", _thread, may=COMMENTERS, unseen=404, post={}, ok=409),
    # Its author is none of the visitors.
    *_form("web:comment-edit", _comment, NOBODY),
]


def _model_change(world: World) -> list[Any]:
    return [world.model_change.pk]


WAIVERS = [
    _seen("web:model-change", _model_change),
    *_form("web:model-change-sign", _model_change, holders("validator", "approver")),
    *_form("web:model-change-withdraw", _model_change, holders("owner")),
    *_form("web:waiver-new", _version, holders("approver")),
    *_form("web:waiver-revoke", lambda w: [w.waiver.pk], holders("approver")),
]


def _event(world: World) -> list[Any]:
    scope = f"version:{world.version.pk}"
    return [audits.events_for(scope, limit=1)[0].seq]


def _checkpoint(world: World) -> list[Any]:
    return [world.extra["checkpoint"]]


def _engagement(world: World) -> list[Any]:
    return [world.extra["engagement"]]


def _drawn(world: World) -> list[Any]:
    return [world.extra["engagement"], 1]


def _first(world: World) -> list[Any]:
    return [world.extra["engagement"], 1, 1]


def _paper(route: str, args: Callable[[World], Sequence[Any]]) -> list[Row]:
    """Read by whoever reads the engagement; written by its auditor only."""
    reads = Row(route, args, may=READERS, denied=404, unseen=404)
    writes = Row(
        route, args, may=holders("auditor"), post={}, ok=422, denied=404, unseen=404,
        statuses={"administrator": 403},
    )  # fmt: skip
    return [reads, writes]


ENGAGEMENTS = [
    Row("web:engagements"),
    *_only_administrators("web:engagement-new", _nothing, form=True),
    *(
        Row(f"web:engagement{page}", _engagement, may=READERS, denied=404, unseen=404)
        for page in ("", "-about", "-documents", "-exports", "-checkpoint")
    ),
    Row("web:engagement-checkpoint", _engagement, may=READERS, denied=404, unseen=404, post={}, ok=422),
    Row("web:engagement-bundle", _engagement, may=READERS, denied=404, unseen=404),
    Row("web:engagement-bundle", _engagement, may=READERS, denied=404, unseen=404, post={"since": "0"}, ok=422),
    Row("web:engagement-cell", _engagement, may=READERS, denied=404, unseen=404, ok=404),
    Row("web:engagement-sample", _drawn, may=READERS, denied=404, unseen=404),
    *_paper("web:engagement-samples", _engagement),
    *_paper("web:engagement-item", _first),
    *_paper("web:engagement-notes", _engagement),
    Row("web:engagement-finding", _engagement, may=READERS, denied=404, unseen=404, ok=404),
    Row("web:engagement-finding", _engagement, may=READERS, denied=404, unseen=404, post={}, ok=404),
    Row("web:engagement-report", _engagement, may=READERS, denied=404, unseen=404, post={"form": "csv"}),
    Row("web:engagement-close", _engagement, may=ADMINISTRATOR, denied=404, unseen=404, statuses={"auditor": 403}),
    Row(
        "web:engagement-close", _engagement, may=ADMINISTRATOR, denied=404, unseen=404, post={}, ok=422,
        statuses={"auditor": 403},
    ),
]  # fmt: skip


AUDIT = [
    # Whoever asks a witness is known by a signature, not by an account; an empty request is malformed.
    Row("witness", may=EVERYBODY, ok=400, post={}),
    Row("web:audit"),
    Row("web:checkpoints"),
    Row("web:checkpoints", post={}, ok=422),
    Row("web:checkpoint-new", may=holders("auditor"), post={}, ok=302),
    Row("web:checkpoint", _checkpoint),
    Row("web:checkpoint-proof", lambda w: [2, 5]),
    Row("web:audit-attempts", may=READERS),
    Row("web:audit-export", may=holders("auditor")),
    _seen("web:event", _event),
    _seen("web:event-extract", _event),
]


def _run(world: World) -> list[Any]:
    return [world.run.run_id]


RUNS = [
    Row("web:experiments", query="?q=churn"),
    _seen("web:experiment", lambda w: [w.experiment.pk], "?filter=metrics.auc+>+0.5"),
    _seen("web:run", _run, "?file=notes.txt"),
    _seen("web:run-artifact", lambda w: [w.run.run_id, "notes.txt"]),
    Row("web:run-compare"),
    *_form("web:run-register", _run, MAKERS),
]


def _definition(world: World) -> list[Any]:
    return [*_model(world), world.extra["definition"]]


def _check(world: World) -> list[Any]:
    return [*_version(world), "performance"]


def _measured(world: World) -> list[Any]:
    return [*_version(world), world.measurement.uuid]


def _ended(world: World) -> list[Any]:
    return [*_version(world), world.extra["measured"]]


def _uploaded(world: World) -> list[Any]:
    return [*_version(world), world.extra["uploaded"]]


def _document(world: World) -> list[Any]:
    return [world.document.uuid]


# A batch is its asker's alone, and the world's maker asked for this one.
NOBODY_ELSE: frozenset[str] = frozenset()


def _batch(world: World) -> list[Any]:
    return [world.extra["batch"]]


def _statement(world: World) -> list[Any]:
    return [*_version(world), "ll144_report"]


# Who has checks run; only a validator recalls a result.
CHECKERS = MAKERS | holders("validator")

# Who has one executed again: whoever judges or audits it.
JUDGES = holders(*SIGNING_ROLES, "auditor")

EVIDENCE = [
    Row("web:checks"),
    _seen("web:version-data", _version),
    Row("web:version-data", _version, may=MAKERS, unseen=404, post={}, ok=422),
    _seen("web:version-checks", _version),
    Row("web:check-run", _version, may=CHECKERS, unseen=404, post={"kind": "none"}, ok=422),
    Row("web:check-run", _version, may=CHECKERS, unseen=404, post={"kind": "all"}, ok=302),
    _seen("web:definitions", _model),
    Row("web:definition-kinds", _model, may=CHECKERS, unseen=404),
    *_form("web:definition-new", lambda w: [*_model(w), "fairness"], CHECKERS),
    *_form("web:definition", _definition, CHECKERS),
    Row("web:check-new", _version, may=CHECKERS, unseen=404),
    Row("web:check-form", _check, may=CHECKERS, unseen=404),
    Row("web:check-form", _check, may=CHECKERS, unseen=404, post={"p-draws": "x"}, ok=422),
    Row("web:check-form", _check, may=CHECKERS, unseen=404, post={"do": "preview"}, ok=200),
    _seen("web:measurement", _measured),
    _seen("web:measurement-json", _measured),
    _seen("web:measurement-csv", _ended),
    Row("web:measurement-csv", _measured, may=MEMBERS, unseen=404, ok=409),  # not measured yet
    Row("web:measurement-cancel", _measured, may=CHECKERS, unseen=404, post={}, ok=302),
    *_form("web:measurement-recall", _measured, holders("validator")),
    Row("web:measurement-recheck", _ended, may=JUDGES, unseen=404, post={}, ok=302),
    Row("web:uploaded-new", _version, may=CHECKERS, unseen=404),
    Row("web:uploaded-new", _version, may=CHECKERS, unseen=404, post={}, ok=422),
    _seen("web:uploaded", _uploaded),
    _seen("web:uploaded-file", _uploaded),
    *_form("web:uploaded-recall", _uploaded, holders("validator")),
    _seen("web:card", _version),
    Row("web:card-edit", _version, may=MAKERS, unseen=404),
    Row("web:card-edit", _version, may=MAKERS, unseen=404, post={"block-summary": "x"}, ok=302),
    _seen("web:card-compare", _version, "?with=1"),
    Row("web:card-draft", _version, may=MAKERS, unseen=404),
    Row("web:card-draft", _version, may=MAKERS, unseen=404, post={"block-summary": "x"}),
    Row("web:card-preview", _version, may=MAKERS, unseen=404, post={"block-summary": "x"}),
    Row("web:card-templates"),
    Row("web:card-template", lambda w: ["eu-annex-iv", 1]),
    Row("web:card-template-yaml", lambda w: ["eu-annex-iv", 1]),
    Row("web:card-template-schema"),
    Row("web:card-template-define", may=holders("validator", "risk"), query="?from=mrm/1"),
    Row("web:card-template-define", may=holders("validator", "risk"), post={}, ok=422),
    *_form("web:model-card-template", _model, holders("validator", "risk", "legal")),
    _seen("web:version-documents", _version),
    Row("web:version-documents", _version, may=MEMBERS, unseen=404, post={}, ok=302),
    _seen("web:version-bundle", _version),
    Row("web:version-bundle", _version, may=MEMBERS, unseen=404, post={}),
    Row("web:version-bundle", _version, may=MEMBERS, unseen=404, post={"since": "0"}, ok=422),
    _seen("web:model-bundle", _model),
    Row("web:model-bundle", _model, may=MEMBERS, unseen=404, post={"since": "0"}, ok=422),
    Row("web:report-statement", _statement, may=MAKERS, unseen=404),
    Row("web:report-statement", _statement, may=MAKERS, unseen=404, post={}, ok=422),
    Row("web:batches"),
    Row("web:batches", post={}, ok=422),
    Row("web:batch", _batch, may=NOBODY_ELSE, denied=404, unseen=404),
    Row("web:batch-cancel", _batch, may=NOBODY_ELSE, denied=404, unseen=404, post={}),
    Row("web:batch-zip", _batch, may=NOBODY_ELSE, denied=404, unseen=404),
    Row("web:document-page", _document, may=MEMBERS, unseen=404, ok=404),
    Row("web:document-verify"),
    Row("web:document-verify", post={}, ok=422),
    _seen("web:document", _document),
    # It is not made yet: no worker runs in the tests.
    Row("web:document-pdf", _document, may=MEMBERS, unseen=404, ok=409),
    _seen("web:document-form", lambda w: [w.document.uuid, "card.json"]),
    _seen("web:version-use", _version),
    # Whoever may read may say that she read; what is sent empty is another wording than is there.
    Row("web:version-use", _version, may=MEMBERS, unseen=404, post={}, ok=302),
]

# The identity provider is not configured in the tests: its routes answer that there is none.
PROVIDER = [
    Row("oidc_authentication_init", may=EVERYBODY, ok=409),
    Row("oidc_authentication_callback", may=EVERYBODY, ok=403),
    Row("oidc_logout", may=SIGNED_IN, ok=302, post={}),
]


def _webhook(world: World) -> list[Any]:
    return [world.delivery.endpoint_id]


def _delivery(world: World) -> list[Any]:
    return [world.delivery.endpoint_id, world.delivery.pk]


def _notice(world: World) -> list[Any]:
    return [world.notice.pk]


# The notice was told the maker, who is none of the visitors: to all of them it does not exist.
NOTICES = [
    Row("web:notices", query="?unread=1"),
    *_only_administrators("web:webhooks", _nothing, form=False),
    *_only_administrators("web:webhook-new", _nothing, form=True),
    *_only_administrators("web:webhook", _webhook, form=False),
    *_only_administrators("web:webhook-edit", _webhook, form=True),
    *_only_administrators("web:webhook-rotate", _webhook, form=False),
    Row("web:webhook-rotate", _webhook, may=ADMINISTRATOR, post={}),
    *_only_administrators("web:webhook-off", _webhook, form=True),
    # It is on already.
    Row("web:webhook-on", _webhook, may=ADMINISTRATOR, post={}, ok=409),
    *_only_administrators("web:webhook-delivery", _delivery, form=False),
    Row("web:webhook-replay", _delivery, may=ADMINISTRATOR, post={}, ok=302),
    Row("web:mails", may=ADMINISTRATOR),
    Row("web:mail", lambda w: [w.kept_mail.pk], may=ADMINISTRATOR),
    Row("web:account-notices"),
    Row("web:account-notices", post={"kinds": "review.asked"}, ok=302),
    Row("web:notices-read", post={"up_to": "1"}, ok=302),
    Row("web:notice-read", _notice, post={"open": "1"}, may=frozenset(), denied=404, unseen=404),
]

ROWS: list[Row] = [
    *ACCOUNT,
    *PEOPLE,
    *MODELS,
    *DEPLOYMENTS,
    *REVIEWS,
    *POLICIES,
    *FINDINGS,
    *DISCUSSION,
    *WAIVERS,
    *AUDIT,
    *ENGAGEMENTS,
    *RUNS,
    *EVIDENCE,
    *PROVIDER,
    *NOTICES,
]
