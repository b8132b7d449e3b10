"""The one way from a request to who acts and what about. A stranger gets 404, a member without the verb 403.

Views fetch through here and nowhere else; whoever may not see a thing learns nothing about it.
Every function also notes what the request is about, so that a refusal is recorded under the right subject.
"""

from __future__ import annotations

from typing import cast
from uuid import UUID

from django.http import HttpRequest

from apps.accounts import policy
from apps.accounts import selectors as accounts
from apps.accounts.models import Team, User
from apps.core.actor import Actor
from apps.core.errors import Forbidden
from apps.engagements import selectors as engagements
from apps.engagements.models import Engagement
from apps.experiments import access as experiments_access
from apps.experiments import selectors as experiments
from apps.experiments.models import Experiment, Run
from apps.registry import deployed
from apps.registry import selectors as registry
from apps.registry.models import Deployment, ModelVersion, RegisteredModel
from apps.reviews import emergency
from apps.reviews import selectors as reviews
from apps.reviews.models import (
    Comment,
    Conflict,
    Delegation,
    Finding,
    ModelChange,
    Review,
    ReviewDraft,
    Rollback,
    Thread,
    Waiver,
)
from apps.reviews.reads import (
    delegations,
    discussion,
    drafts,
    findings,
    independence,
    model_changes,
    waivers,
)

REQUEST_ID = "countersign.request_id"
ACTOR = "countersign.actor"
SUBJECT = "countersign.subject"


def find_actor(request: HttpRequest) -> Actor | None:
    """Whoever is signed in, or None for a stranger. Asked once a request."""
    if ACTOR not in request.META:
        request.META[ACTOR] = _actor_of(request)
    return cast("Actor | None", request.META[ACTOR])


def actor(request: HttpRequest) -> Actor:
    """Whoever is signed in. LoginRequiredMiddleware has sent strangers to sign in before any view asks."""
    found = find_actor(request)
    if found is None:
        raise Forbidden("Sign in first.", hint="Your session has ended.")
    return found


def user(request: HttpRequest) -> User:
    """The signed-in person's own row: for her account pages only."""
    actor(request)
    return cast("User", request.user)


def require(request: HttpRequest, verb: str) -> Actor:
    """The actor, if she holds the verb on the whole site; else Forbidden."""
    who = actor(request)
    policy.require(who, verb)
    return who


def subject(request: HttpRequest) -> str:
    """What the request is about, as an id ("version:12"), as far as it was found."""
    return str(request.META.get(SUBJECT, ""))


def model_for(request: HttpRequest, name: str, verb: str = "model.read") -> RegisteredModel:
    """A registered model by name."""
    who = actor(request)
    model = registry.get_model(who, name)
    _about(request, f"model:{model.pk}")
    policy.require(who, verb, model)
    return model


def version_for(
    request: HttpRequest, name: str, number: int, verb: str = "model.read"
) -> ModelVersion:
    """A version by its model's name and its number."""
    who = actor(request)
    version = registry.get_version(who, name, number)
    _about(request, f"version:{version.pk}")
    policy.require(who, verb, version)
    return version


def deployment_for(request: HttpRequest, uuid: UUID, verb: str = "model.read") -> Deployment:
    """A deployment, for those who see its model."""
    found = deployed.get_deployment(actor(request), uuid)
    _about(request, f"version:{found.version_id}")
    policy.require(actor(request), verb, found.model)
    return found


def engagement_for(request: HttpRequest, engagement_id: int) -> Engagement:
    """An audit engagement, for its auditors while it is open and whoever reads the audit trail."""
    found = engagements.get(actor(request), engagement_id)
    _about(request, found.scope_id)
    return found


def experiment_for(
    request: HttpRequest, experiment_id: int, verb: str = "experiment.read"
) -> Experiment:
    """An experiment by its id, deleted ones too."""
    found = experiments_access.experiment(actor(request), experiment_id)
    _about(request, f"experiment:{found.pk}")
    policy.require(actor(request), verb, found)
    return found


def run_for(request: HttpRequest, run_id: str, verb: str = "experiment.read") -> Run:
    """A run, with its experiment, by the id that the client knows."""
    run = experiments.visible_run(actor(request), run_id)
    _about(request, f"run:{run.run_id}")
    policy.require(actor(request), verb, run.experiment)
    return run


def review_for(request: HttpRequest, review_id: int, verb: str = "review.read") -> Review:
    """A review by the number people know it by."""
    review = reviews.get_review(actor(request), review_id)
    _about(request, f"review:{review.pk}")
    policy.require(actor(request), verb, review)
    return review


def finding_for(request: HttpRequest, finding_id: int) -> Finding:
    """A finding, for those who see reviews of its model."""
    finding = findings.get_finding(actor(request), finding_id)
    _about(request, f"finding:{finding.pk}")
    return finding


def waiver_for(request: HttpRequest, waiver_id: int) -> Waiver:
    """A waiver, for those who see reviews of its model."""
    waiver = waivers.get_waiver(actor(request), waiver_id)
    _about(request, f"waiver:{waiver.pk}")
    return waiver


def conflict_for(request: HttpRequest, conflict_id: int) -> Conflict:
    """A declared conflict of interest, for those who see reviews of its model."""
    conflict = independence.get_conflict(actor(request), conflict_id)
    _about(request, f"model:{conflict.model_id}")
    return conflict


def delegation_for(request: HttpRequest, delegation_id: int) -> Delegation:
    """A delegation, for the two it is between and whoever manages people."""
    delegation = delegations.get_delegation(actor(request), delegation_id)
    _about(request, f"delegation:{delegation.pk}")
    return delegation


def draft_for(request: HttpRequest, draft_id: int) -> ReviewDraft:
    """An open draft of a request, for those who see reviews of its model."""
    draft = drafts.get_draft(actor(request), draft_id)
    _about(request, f"version:{draft.version_id}")
    return draft


def rollback_for(request: HttpRequest, rollback_id: int) -> Rollback:
    """An emergency rollback, for those who see reviews of its model."""
    rollback = emergency.get_rollback(actor(request), rollback_id)
    _about(request, f"version:{rollback.version_id}")
    return rollback


def model_change_for(request: HttpRequest, change_id: int, verb: str = "") -> ModelChange:
    """A proposed change of a model, for those who see it; a member without the verb 403."""
    change = model_changes.get_change(actor(request), change_id)
    _about(request, f"model:{change.model_id}")
    if verb:
        policy.require(actor(request), verb, change)
    return change


def thread_for(request: HttpRequest, thread_id: int) -> Thread:
    """A thread, for those who may comment on its review."""
    thread = discussion.get_thread(actor(request), thread_id)
    _about(request, f"review:{thread.review_id}")
    policy.require(actor(request), "review.comment", thread)
    return thread


def comment_for(request: HttpRequest, comment_id: int) -> Comment:
    """A comment, for those who may comment on its review."""
    comment = discussion.get_comment(actor(request), comment_id)
    _about(request, f"review:{comment.thread.review_id}")
    policy.require(actor(request), "review.comment", comment.thread)
    return comment


def person_for(request: HttpRequest, user_id: int) -> User:
    """A person, for those who manage people; a stranger to the whole area is told so."""
    require(request, "people.manage")
    person = accounts.get_user(user_id)
    _about(request, f"user:{person.pk}")
    return person


def team_for(request: HttpRequest, key: str) -> Team:
    """A team, for those who manage people."""
    require(request, "people.manage")
    team = accounts.get_team(key)
    _about(request, f"team:{team.pk}")
    return team


def _actor_of(request: HttpRequest) -> Actor | None:
    # A request that was refused before its session was read (another host's, say) has no user.
    person = getattr(request, "user", None)
    if not isinstance(person, User):
        return None
    request_id = str(request.META.get(REQUEST_ID, ""))
    return accounts.actor_for(person, door="web", request_id=request_id)


def _about(request: HttpRequest, subject_id: str) -> None:
    request.META[SUBJECT] = subject_id
