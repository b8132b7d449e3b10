"""The world of the permission matrix: nine kinds of visitor, and one of each thing that none of them owns.

The roles are held site-wide, as in a small organisation. The outsider is signed in and holds none. The visitors are
written straight into the tables: a matrix of a thousand cells cannot wait for nine people to choose passwords.
"""

from __future__ import annotations

import datetime as dt
import io
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from django.test import override_settings

from apps.accounts.models import RoleAssignment, Team, User
from apps.accounts.services import ReauthProof, create_team, issue_token
from apps.accounts.verbs import ROLES
from apps.audits.services import make_checkpoint
from apps.checks.models import Measurement
from apps.checks.services import (
    attach_dataset,
    request_measurement,
    request_recheck,
    run_measurement,
    save_definition,
    upload_result,
)
from apps.checks.services.definitions import Draft
from apps.compliance import batches, forms
from apps.compliance.models import Document
from apps.compliance.services import request_document
from apps.core import clock, outbox
from apps.core.actor import Actor
from apps.core.errors import DomainError
from apps.core.models import OutboxMessage
from apps.engagements import services as engagements
from apps.experiments.models import Experiment, Run
from apps.experiments.services import experiments, put_artifact, runs
from apps.impact.services import save_assessment
from apps.notices.models import KeptMail, Notice, WebhookDelivery
from apps.notices.services import create_endpoint
from apps.registry import services as registry
from apps.registry.models import ModelVersion, RegisteredModel
from apps.registry.targets import Target
from apps.reviews import selectors as review_selectors
from apps.reviews import services as reviews
from apps.reviews.models import (
    Comment,
    Decision,
    Finding,
    ModelChange,
    PolicyChange,
    Review,
    ReviewDraft,
    Rollback,
    Waiver,
)
from apps.reviews.policies import builtin, files
from apps.reviews.policies.document import parse
from tests import factories
from tests.impact.samples import whole
from tests.support.people import SYSTEM, as_actor

ANONYMOUS: Final = "anonymous"
OUTSIDER: Final = "outsider"
VISITORS: Final = (ANONYMOUS, OUTSIDER, *ROLES)


def visitor(role: str) -> User:
    """Somebody who holds exactly this role on the whole site."""
    user = User(username=role, display_name=role.capitalize(), kind=User.Kind.HUMAN)
    user.set_unusable_password()
    user.save()
    if role in ROLES:
        RoleAssignment.objects.create(user=user, role_id=role)
    return user


@dataclass(slots=True)
class World:
    """The things that addresses name. `maker` made them all and is none of the visitors."""

    visitors: dict[str, User | None]
    maker: User
    person: User
    service: User
    team: Team
    experiment: Experiment
    run: Run
    model: RegisteredModel
    version: ModelVersion
    token_uuid: uuid.UUID
    review: Review
    finding: Finding
    comment: Comment
    waiver: Waiver
    decision: Decision
    promoted: ModelVersion
    measurement: Measurement
    document: Document
    notice: Notice
    kept_mail: KeptMail
    delivery: WebhookDelivery
    change: PolicyChange
    model_change: ModelChange
    rollback: Rollback
    draft: ReviewDraft
    extra: dict[str, object] = field(default_factory=dict)


def build() -> World:
    """Everything, through the services where there is a rule to keep."""
    visitors: dict[str, User | None] = {
        role: visitor(role) for role in VISITORS if role != ANONYMOUS
    }
    visitors[ANONYMOUS] = None
    maker = visitor("maker")
    RoleAssignment.objects.create(user=maker, role_id="contributor")
    actor = as_actor(maker)
    _emergency_path()
    service = User.objects.create(username="ci", display_name="CI", kind=User.Kind.SERVICE)
    experiment = experiments.create_experiment(actor, name="churn trials")
    made = runs.create_run(actor, experiment_id=experiment.pk, run_name="able-finch")
    runs.update_run(actor, run_id=made.run_id, status="FINISHED", end_time=made.start_time + 1)
    run = Run.objects.get(run_id=made.run_id)
    put_artifact(actor, run, "notes.txt", io.BytesIO(b"as it went"))
    model = factories.model(actor, "churn")
    version = factories.version(actor, model)
    token, _ = issue_token(actor, name="laptop", scopes=["read"], expires_in=dt.timedelta(days=1))
    review = submit(actor, factories.version(actor, model))
    promoted = _promoted(actor)
    return World(
        visitors=visitors,
        maker=maker,
        person=visitor("somebody"),
        service=service,
        team=create_team(SYSTEM, key="credit", name="Credit"),
        experiment=experiment,
        run=run,
        model=model,
        version=version,
        token_uuid=token.uuid,
        review=review,
        comment=reviews.start_thread(actor, review, text="Why 2018 only?").comment,
        waiver=_waiver(version),
        finding=_finding(maker, version),
        measurement=_measurement(actor, version),
        document=_document(actor, version),
        notice=_notice(maker),
        delivery=_delivery(),
        change=_change(),
        model_change=_model_change(actor, model),
        kept_mail=KeptMail.objects.create(subject="asked", recipient="a@example.org", headers={}),
        **promoted,
        rollback=_rollback(actor),
        draft=_draft(actor, model),
        extra=_deployment(actor, version)
        | _independence(actor, model)
        | _recheck(actor, version)
        | _uploaded(actor, version)
        | _definition(actor, model)
        | _engagement(visitors, promoted["promoted"].model)
        | {"checkpoint": make_checkpoint(SYSTEM).size}
        | {"assessment": save_assessment(actor, model, whole(), 0)}
        | {"batch": batches.request(actor, "model_card", [version], "from a list").uuid},
    )


def _engagement(visitors: Mapping[str, User | None], model: RegisteredModel) -> dict[str, object]:
    """Opened by the administrator for the auditor, with a sample."""
    administrator, auditor = visitors["administrator"], visitors["auditor"]
    assert administrator is not None
    assert auditor is not None
    today = clock.now().date()
    row = engagements.open_engagement(
        as_actor(administrator),
        engagements.NewEngagement(
            title="Churn models",
            purpose="Are approvals made as the rules say?",
            framework="model-approval",
            period_from=today,
            period_to=today,
            ends_on=today,
            models=[model.pk],
            auditors=[auditor.pk],
        ),
    )
    engagements.draw_sample(as_actor(auditor), row, size=1)
    return {"engagement": row.pk}


def _document(actor: Actor, version: ModelVersion) -> Document:
    """Asked for; its forms are made, its PDF is not."""
    document = request_document(actor, version)
    forms.make(document.pk)
    return document


def _definition(actor: Actor, model: RegisteredModel) -> dict[str, object]:
    """What the model has measured regularly."""
    draft = Draft("Weekly", "performance", every_days=7)
    return {"definition": save_definition(actor, model, draft).definition.uuid}


def _independence(actor: Actor, model: RegisteredModel) -> dict[str, object]:
    """A declared conflict of interest, and a delegation between people who are no visitors."""
    giver, deputy = visitor("giver"), visitor("deputy")
    for person in (giver, deputy):
        RoleAssignment.objects.create(user=person, role_id="approver")
    conflict = reviews.declare_conflict(as_actor(giver), model, person=giver, reason="owns shares")
    delegation = reviews.delegate(
        as_actor(deputy),
        to=visitor_with("second-deputy", "approver"),
        role="approver",
        scope=reviews.Scope(model=model),
        until=clock.now().date(),
        reason="away",
    )
    return {
        "conflict": conflict.pk,
        "delegation": delegation.pk,
        "deputy": visitor_with("third-deputy", "approver").uuid,
        "caller": giver.uuid,
    }


def visitor_with(username: str, role: str) -> User:
    """Somebody who holds this role and is none of the visitors."""
    user = visitor(username)
    RoleAssignment.objects.create(user=user, role_id=role)
    return user


def _deployment(actor: Actor, version: ModelVersion) -> dict[str, object]:
    """An environment that nobody governs, and a version with a quarter of the traffic there."""
    lab = registry.create_environment(
        as_actor(visitor_of("gardener")), key="lab", title="Laboratory"
    )
    made = registry.record_deployment(actor, version, environment=lab, traffic="25")
    return {"environment": lab, "deployment": made}


def visitor_of(name: str) -> User:
    """An administrator who is none of the visitors."""
    made = visitor(name)
    RoleAssignment.objects.create(user=made, role_id="administrator")
    return made


def _model_change(actor: Actor, model: RegisteredModel) -> ModelChange:
    """A lower risk tier that waits for a signature."""
    found = reviews.change_settings(
        actor, model, reason="ten people use it", exposure="low", purpose_class="informational"
    )
    assert found is not None
    return found


def _change() -> PolicyChange:
    """A change of policy that was tried and waits for signatures, proposed by none of the visitors."""
    keeper = visitor("keeper")
    RoleAssignment.objects.create(user=keeper, role_id="administrator")
    text = (Path(files.__file__).parent / "packs" / "light.yaml").read_text(encoding="utf-8")
    change = reviews.propose(as_actor(keeper), text=text, reason="small models need less")
    reviews.simulate(as_actor(keeper), change)
    return change


def _delivery() -> WebhookDelivery:
    """An event that a webhook was told of."""
    endpoint, _secret = create_endpoint(
        SYSTEM, url="https://example.org/", description="", wanted=["reviews.round.made"]
    )
    return WebhookDelivery.objects.create(
        endpoint=endpoint, event_seq=1, event_type="reviews.round.made", body="{}", state="failed"
    )


def _notice(maker: User) -> Notice:
    """Something the maker was told."""
    return Notice.objects.create(
        recipient=maker,
        kind="review.void",
        event_seq=1,
        once="round:1",
        subject="review:1",
        scopes=["review:1"],
        parts={"review": "REV-1", "review_id": 1},
    )


def _measurement(actor: Actor, version: ModelVersion) -> Measurement:
    """A measurement that waits for a worker."""
    columns = {"target": "y", "prediction": "p"}
    data = b"y,p\n" + b"1,1\n0,0\n1,0\n" * 20
    attach_dataset(
        actor, version, role="evaluation", mapping=columns, favourable=1, stream=io.BytesIO(data)
    )
    return request_measurement(actor, version, "performance")


def _recheck(actor: Actor, version: ModelVersion) -> dict[str, object]:
    """A measurement that ended, and a recheck of it that waits, asked for by none of the visitors."""
    measured = request_measurement(actor, version, "files")
    work = OutboxMessage.objects.get(payload={"measurement": measured.pk})
    with outbox.claimed(work.pk) as message:
        assert message is not None
        run_measurement(message)
    asked = request_recheck(as_actor(visitor_with("inspector", "auditor")), measured)
    return {"measured": measured.uuid, "recheck": asked.uuid}


def _uploaded(actor: Actor, version: ModelVersion) -> dict[str, object]:
    """What another tool reported."""
    data = b'<testsuite><testcase name="a"/></testsuite>'
    row = upload_result(actor, version, stream=io.BytesIO(data), name="unit tests", tool="pytest")
    return {"uploaded": row.uuid}


def _finding(owner: User, version: ModelVersion) -> Finding:
    """A finding that its owner has not answered, raised by nobody of the visitors."""
    raiser = visitor("raiser")
    RoleAssignment.objects.create(user=raiser, role_id="validator")
    new = reviews.NewFinding(
        title="Recall drops for the young",
        text="0.41 there, 0.63 elsewhere",
        severity="high",
        owner_id=owner.pk,
        due=clock.now().date(),
        blocking=False,
    )
    return reviews.raise_finding(as_actor(raiser), version, new)


def _waiver(version: ModelVersion) -> Waiver:
    """A waiver in force, signed by nobody of the visitors."""
    signer = visitor("waiver-signer")
    RoleAssignment.objects.create(user=signer, role_id="approver")
    return reviews.grant_waiver(
        as_actor(signer),
        version,
        requirement="checks.fairness",
        reason="no groups in these data",
        until=clock.now().date(),
        proof=ReauthProof(method="password", at=clock.now(), user_id=signer.pk),
    )


def submit(actor: Actor, version: ModelVersion) -> Review:
    """An open review of a version."""
    targets = [Target("stage", "production")]
    return reviews.submit(actor, version, targets=targets, justification="for the release")


def _promoted(actor: Actor) -> dict[str, Any]:
    """A version in Production by two signatures of people who are no visitors, and one of these.

    Checks and card have gates of their own; here only the signatures are asked, so that the version gets there.
    """
    version = factories.version(actor, factories.model(actor, "fraud"))
    review = submit(actor, version)
    decisions = []
    with override_settings(PROMOTION_GATES=["apps.reviews.gates.quorum_signed"]):
        for role in ("validator", "approver"):
            signer = visitor(f"second-{role}")
            RoleAssignment.objects.create(user=signer, role_id=role)
            decisions.append(_sign(signer, review))
    version.refresh_from_db()
    return {"decision": decisions[0], "promoted": version}


def _emergency_path() -> None:
    """The standard policy lets somebody on call roll back; proposed and signed by none of the visitors."""
    proposer, signers = visitor("proposer"), [visitor("board-1"), visitor("board-2")]
    RoleAssignment.objects.create(user=proposer, role_id="administrator")
    document = builtin.standard() | {"emergency": {"roles": ["on_call"], "review_within_days": 5}}
    text = files.dump(parse(document))
    change = reviews.propose(as_actor(proposer), text=text, reason="nights and weekends")
    for signer in signers:
        RoleAssignment.objects.create(user=signer, role_id="approver")
        reviews.sign_change(
            as_actor(signer),
            change,
            approves=True,
            digest=change.digest,
            comment="needed",
            proof=ReauthProof(method="password", at=clock.now(), user_id=signer.pk),
        )


def _draft(actor: Actor, model: RegisteredModel) -> ReviewDraft:
    """A request that a client asked for by trying to promote."""
    version = factories.version(actor, model)
    registry.set_version_tag(actor, version, key="request_review", value="it is ready")
    with suppress(DomainError):
        registry.set_stage(actor, version, stage="Production")
    return ReviewDraft.objects.get()


def _rollback(actor: Actor) -> Rollback:
    """A version put back by somebody on call; nobody has reviewed that yet. The one before is in Production again."""
    model = factories.model(actor, "loans")
    versions = [factories.version(actor, model) for _ in range(2)]
    with override_settings(PROMOTION_GATES=["apps.reviews.gates.quorum_signed"]):
        for number, version in enumerate(versions):
            review = submit(actor, version)
            for role in ("validator", "approver"):
                signer = visitor(f"third-{role}-{number}")
                RoleAssignment.objects.create(user=signer, role_id=role)
                _sign(signer, review)
    on_call = visitor("night-shift")
    RoleAssignment.objects.create(user=on_call, role_id="on_call")
    (row,) = reviews.roll_back(
        as_actor(on_call),
        versions[0],
        targets=[Target("stage", "production")],
        reason="it declines everybody",
        proof=ReauthProof(method="password", at=clock.now(), user_id=on_call.pk),
    )
    return row


def _sign(signer: User, review: Review) -> Decision:
    round_ = review_selectors.live_round(review)
    assert round_ is not None
    return reviews.decide(
        as_actor(signer),
        review,
        outcome="approve",
        evidence_digest=round_.digest,
        comment="looked at all of it",
        proof=ReauthProof(method="password", at=clock.now(), user_id=signer.pk),
        no_conflict=True,
    )
