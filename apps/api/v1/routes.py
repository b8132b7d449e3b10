"""Every route of the API with its rule: the addresses, the permissions, the document and the matrix of tests read this.

What is not here is answered 404, and a view answers only to the methods that this table gives it.
"""

from __future__ import annotations

from typing import Final

from apps.api.v1.acts import Decisions, Promotion, Recusals, Reviews, Rounds, Withdrawal
from apps.api.v1.aftermath import (
    Departure,
    OneRollback,
    Rereviews,
    RollbackReviews,
    Rollbacks,
)
from apps.api.v1.deployments import (
    DeploymentEnd,
    Deployments,
    DeploymentTraffic,
    Environments,
    ModelDeployments,
    OneDeployment,
    OneEnvironment,
)
from apps.api.v1.document import Document
from apps.api.v1.gate import GateCheck
from apps.api.v1.models import Gates, Models, OneModel, OneVersion, Versions
from apps.api.v1.retiring import BringBack, Retire, Retirement
from apps.api.v1.reviews import Manifest, OneReview
from apps.api.v1.route import Route
from apps.api.v1.who_may import WhoMayView

_REVIEW: Final = "reviews/<int:review_id>"
_MODEL: Final = "models/<str:name>"
_VERSION: Final = f"{_MODEL}/versions/<int:number>"
_ROLLBACK: Final = "rollbacks/<int:rollback_id>"
_SIGN: Final = "review.sign"
_DEPLOYMENT: Final = "deployments/<uuid:deployment>"
_RECORD: Final = "deployment.record"
_ADMINISTER: Final = "environment.manage"

_READING: Final = (
    Route("GET", "reviews", Reviews, "reviews", "review.read"),
    Route("GET", _REVIEW, OneReview, "review", "review.read"),
    Route("GET", f"{_REVIEW}/rounds/<int:round_number>/manifest", Manifest, "manifest", "review.read"),
    Route("GET", "models", Models, "models", "model.read"),
    Route("GET", _MODEL, OneModel, "model", "model.read"),
    Route("GET", f"{_MODEL}/versions", Versions, "versions", "model.read"),
    Route("GET", _VERSION, OneVersion, "version", "model.read"),
    Route("GET", f"{_VERSION}/gates", Gates, "version-gates", "model.read"),
    Route("GET", f"{_MODEL}/deployments", ModelDeployments, "model-deployments", "model.read"),
    Route("GET", f"{_MODEL}/retirement", Retirement, "retirement", "model.read"),
    Route("GET", "environments", Environments, "environments", "model.read"),
    Route("GET", "deployments", Deployments, "deployments", "model.read"),
    Route("GET", _DEPLOYMENT, OneDeployment, "deployment", "model.read"),
    Route("POST", "gate/check", GateCheck, "gate-check", "model.read"),
    Route("GET", "who-may", WhoMayView, "who-may", "model.read"),
    Route("GET", "openapi.json", Document, "openapi", "model.read"),
)  # fmt: skip

_ACTING: Final = (
    Route("POST", "reviews", Reviews, "submit", "review.submit", mutates=True),
    Route("POST", f"{_REVIEW}/rounds", Rounds, "new-round", "review.submit", mutates=True),
    Route("POST", f"{_REVIEW}/withdraw", Withdrawal, "withdraw", "review.withdraw", mutates=True),
    Route("POST", f"{_REVIEW}/promote", Promotion, "promote", "review.submit", mutates=True),
    Route("POST", f"{_REVIEW}/decisions", Decisions, "decide", _SIGN, mutates=True, interactive=True),
    Route("POST", f"{_REVIEW}/recusals", Recusals, "recuse", _SIGN, mutates=True, interactive=True),
    Route("POST", "environments", Environments, "environment-new", _ADMINISTER, mutates=True, interactive=True),
    Route("POST", "environments/<str:key>", OneEnvironment, "environment-change", _ADMINISTER, mutates=True, interactive=True),
    Route("POST", f"{_MODEL}/retire", Retire, "retire", "model.retire", mutates=True, interactive=True),
    Route("POST", f"{_MODEL}/bring-back", BringBack, "bring-back", "model.retire", mutates=True, interactive=True),
    Route("POST", "deployments", Deployments, "deployment-record", _RECORD, mutates=True),
    Route("POST", f"{_DEPLOYMENT}/traffic", DeploymentTraffic, "deployment-traffic", _RECORD, mutates=True),
    Route("POST", f"{_DEPLOYMENT}/end", DeploymentEnd, "deployment-end", _RECORD, mutates=True),
)  # fmt: skip

_AFTERWARDS: Final = (
    Route("GET", f"{_VERSION}/rereviews", Rereviews, "rereviews", "review.read"),
    Route("POST", f"{_VERSION}/rereviews", Rereviews, "question", "finding.raise", mutates=True, interactive=True),
    Route("POST", f"{_VERSION}/leave", Departure, "leave", "target.leave", mutates=True, interactive=True),
    Route("POST", f"{_VERSION}/rollbacks", Rollbacks, "roll-back", "target.rollback", mutates=True, interactive=True),
    Route("GET", _ROLLBACK, OneRollback, "rollback", "review.read"),
    Route("POST", f"{_ROLLBACK}/review", RollbackReviews, "review-rollback", _SIGN, mutates=True, interactive=True),
)  # fmt: skip

ROUTES: Final[tuple[Route, ...]] = (*_READING, *_ACTING, *_AFTERWARDS)
