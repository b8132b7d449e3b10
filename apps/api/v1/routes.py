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
from apps.api.v1.batches import (
    BatchArchive,
    BatchCancellation,
    Batches,
    BatchItems,
    OneBatch,
)
from apps.api.v1.card_templates import (
    ModelTemplate,
    OneTemplate,
    Templates,
    TemplateSchema,
)
from apps.api.v1.challenge import (
    Acceptances,
    Closures,
    Findings,
    OneFinding,
    Reopenings,
    Responses,
    Retests,
    Revocations,
    Waivers,
)
from apps.api.v1.changes import (
    ModelChanges,
    ModelChangeSignatures,
    ModelChangeWithdrawal,
    OneModelChange,
    OnePolicy,
    OnePolicyChange,
    Policies,
    PolicyChanges,
    PolicySignatures,
    PolicySimulations,
    PolicyWithdrawal,
)
from apps.api.v1.definitions import DefinitionRevisions, Definitions, OneDefinition
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
from apps.api.v1.documents import (
    Bundles,
    CardSchema,
    DocumentFile,
    DocumentForm,
    DocumentKinds,
    Documents,
    DocumentWebPage,
    OneDocument,
)
from apps.api.v1.engagements import Engagements, OneEngagement, OneSample, Samples
from apps.api.v1.gate import GateCheck
from apps.api.v1.impact import (
    Impact,
    Lowering,
    Notifications,
    OneQuestionnaire,
    OneRevision,
    Questionnaires,
    QuestionnaireSchema,
    Revisions,
    Signatures,
)
from apps.api.v1.independence import (
    Conflicts,
    ConflictWithdrawals,
    DelegationEnds,
    Delegations,
)
from apps.api.v1.issued import Issued
from apps.api.v1.ledger import (
    CheckpointAt,
    Consistency,
    Inclusion,
    LatestCheckpoint,
    LedgerKeys,
)
from apps.api.v1.measurements import (
    Cancellation,
    Kinds,
    MeasurementCsv,
    MeasurementJson,
    Measurements,
    OneMeasurement,
)
from apps.api.v1.models import Gates, Models, OneModel, OneVersion, Versions
from apps.api.v1.rechecks import OneRecheck, Rechecks
from apps.api.v1.retiring import BringBack, Retire, Retirement
from apps.api.v1.reviews import Manifest, OneReview, Receipt
from apps.api.v1.route import Route
from apps.api.v1.statements import RecordedStatements, Statements
from apps.api.v1.talk import (
    Edits,
    Notices,
    ReadNotice,
    ReadNotices,
    Reopening,
    Replies,
    Resolution,
    Threads,
)
from apps.api.v1.uploaded import (
    OneUploaded,
    Uploaded,
    UploadedFile,
    UploadedRecalls,
    UploadedSchema,
)
from apps.api.v1.who_may import WhoMayView

_REVIEW: Final = "reviews/<int:review_id>"
_MODEL: Final = "models/<str:name>"
_VERSION: Final = f"{_MODEL}/versions/<int:number>"
_ROLLBACK: Final = "rollbacks/<int:rollback_id>"
_SIGN: Final = "review.sign"
_DEPLOYMENT: Final = "deployments/<uuid:deployment>"
_RECORD: Final = "deployment.record"
_ADMINISTER: Final = "environment.manage"

_MEASUREMENTS: Final = f"{_VERSION}/measurements"
_MEASUREMENT: Final = f"{_MEASUREMENTS}/<uuid:measurement>"
_RECHECKS: Final = f"{_MEASUREMENT}/rechecks"

_DEFINITIONS: Final = f"{_MODEL}/check-definitions"
_DEFINITION: Final = f"{_DEFINITIONS}/<uuid:definition>"

_UPLOADED: Final = f"{_VERSION}/uploaded-results"
_ONE_UPLOADED: Final = f"{_UPLOADED}/<uuid:result>"

_READING: Final = (
    Route("GET", "reviews", Reviews, "reviews", "review.read"),
    Route("GET", _REVIEW, OneReview, "review", "review.read"),
    Route("GET", f"{_REVIEW}/rounds/<int:round_number>/manifest", Manifest, "manifest", "review.read"),
    Route("GET", f"{_REVIEW}/decisions/<int:decision_id>/receipt", Receipt, "receipt", "review.read"),
    Route("GET", "models", Models, "models", "model.read"),
    Route("GET", _MODEL, OneModel, "model", "model.read"),
    Route("GET", f"{_MODEL}/versions", Versions, "versions", "model.read"),
    Route("GET", _VERSION, OneVersion, "version", "model.read"),
    Route("GET", f"{_VERSION}/gates", Gates, "version-gates", "model.read"),
    Route("GET", "check-kinds", Kinds, "check-kinds", "model.read"),
    Route("GET", _MEASUREMENTS, Measurements, "measurements", "model.read"),
    Route("GET", _MEASUREMENT, OneMeasurement, "measurement", "model.read"),
    Route("GET", f"{_MEASUREMENT}/result.json", MeasurementJson, "measurement-json", "model.read"),
    Route("GET", f"{_MEASUREMENT}/result.csv", MeasurementCsv, "measurement-csv", "model.read"),
    Route("GET", _RECHECKS, Rechecks, "rechecks", "model.read"),
    Route("GET", f"{_RECHECKS}/<uuid:recheck>", OneRecheck, "one-recheck", "model.read"),
    Route("GET", _DEFINITIONS, Definitions, "check-definitions", "model.read"),
    Route("GET", _DEFINITION, OneDefinition, "check-definition", "model.read"),
    Route("GET", _UPLOADED, Uploaded, "uploaded-results", "model.read"),
    Route("GET", _ONE_UPLOADED, OneUploaded, "uploaded-result", "model.read"),
    Route("GET", f"{_ONE_UPLOADED}/file", UploadedFile, "uploaded-result-file", "model.read"),
    Route("GET", "schemas/results.v1.json", UploadedSchema, "results-schema", "model.read"),
    Route("GET", f"{_MODEL}/deployments", ModelDeployments, "model-deployments", "model.read"),
    Route("GET", f"{_MODEL}/retirement", Retirement, "retirement", "model.read"),
    Route("GET", "documents", Issued, "issued-documents", "review.read"),
    Route("GET", "environments", Environments, "environments", "model.read"),
    Route("GET", "deployments", Deployments, "deployments", "model.read"),
    Route("GET", _DEPLOYMENT, OneDeployment, "deployment", "model.read"),
    Route("POST", "gate/check", GateCheck, "gate-check", "model.read"),
    Route("GET", "who-may", WhoMayView, "who-may", "model.read"),
    Route("GET", "ledger/checkpoint", LatestCheckpoint, "checkpoint", "model.read"),
    Route("GET", "ledger/checkpoints/<int:size>", CheckpointAt, "checkpoint-at", "model.read"),
    Route("GET", "ledger/consistency", Consistency, "consistency", "model.read"),
    Route("GET", "ledger/events/<int:seq>/inclusion", Inclusion, "inclusion", "model.read"),
    Route("GET", "ledger/keys", LedgerKeys, "ledger-keys", "model.read"),
    Route("GET", "openapi.json", Document, "openapi", "model.read"),
)  # fmt: skip

_ACTING: Final = (
    Route("POST", "reviews", Reviews, "submit", "review.submit", mutates=True),
    Route("POST", _MEASUREMENTS, Measurements, "measure", "check.run", mutates=True),
    Route("POST", f"{_MEASUREMENT}/cancel", Cancellation, "measurement-cancel", "check.run", mutates=True),
    Route("POST", _RECHECKS, Rechecks, "recheck", "check.recheck", mutates=True),
    Route("POST", _DEFINITIONS, Definitions, "define-check", "check.run", mutates=True),
    Route("POST", f"{_DEFINITION}/revisions", DefinitionRevisions, "redefine-check", "check.run", mutates=True),
    Route("POST", _UPLOADED, Uploaded, "upload-result", "check.run", mutates=True),
    Route("POST", f"{_ONE_UPLOADED}/recall", UploadedRecalls, "recall-uploaded", "check.recall", mutates=True, interactive=True),
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

_FINDING: Final = "findings/<int:finding_id>"
_COMMENT: Final = "review.comment"
_CHALLENGE: Final = (
    Route("GET", f"{_VERSION}/findings", Findings, "findings", "review.read"),
    Route("POST", f"{_VERSION}/findings", Findings, "finding-raise", "finding.raise", mutates=True, interactive=True),
    Route("GET", _FINDING, OneFinding, "finding", "review.read"),
    Route("POST", f"{_FINDING}/responses", Responses, "finding-respond", "review.submit", mutates=True),
    Route("POST", f"{_FINDING}/retests", Retests, "finding-retest", "finding.close", mutates=True, interactive=True),
    Route("POST", f"{_FINDING}/closure", Closures, "finding-close", "finding.close", mutates=True, interactive=True),
    Route("POST", f"{_FINDING}/acceptance", Acceptances, "finding-accept", _SIGN, mutates=True, interactive=True),
    Route("POST", f"{_FINDING}/reopening", Reopenings, "finding-reopen", "finding.raise", mutates=True, interactive=True),
    Route("GET", f"{_VERSION}/waivers", Waivers, "waivers", "review.read"),
    Route("POST", f"{_VERSION}/waivers", Waivers, "waive", _SIGN, mutates=True, interactive=True),
    Route("POST", "waivers/<int:waiver_id>/revocation", Revocations, "waiver-revoke", _SIGN, mutates=True, interactive=True),
    Route("GET", f"{_REVIEW}/threads", Threads, "threads", "review.read"),
    Route("POST", f"{_REVIEW}/threads", Threads, "thread-start", _COMMENT, mutates=True, interactive=True),
    Route("POST", "threads/<int:thread_id>/replies", Replies, "thread-reply", _COMMENT, mutates=True, interactive=True),
    Route("POST", "threads/<int:thread_id>/resolution", Resolution, "thread-resolve", _COMMENT, mutates=True, interactive=True),
    Route("POST", "threads/<int:thread_id>/reopening", Reopening, "thread-reopen", _COMMENT, mutates=True, interactive=True),
    Route("POST", "comments/<int:comment_id>/revisions", Edits, "comment-edit", _COMMENT, mutates=True, interactive=True),
    Route("GET", "notices", Notices, "notices", "review.read"),
    Route("POST", "notices/read", ReadNotices, "notices-read", "review.read", mutates=True),
    Route("POST", "notices/<int:notice_id>/read", ReadNotice, "notice-read", "review.read", mutates=True),
)  # fmt: skip

_INDEPENDENCE: Final = (
    Route("GET", f"{_MODEL}/conflicts", Conflicts, "conflicts", "review.read"),
    Route("POST", f"{_MODEL}/conflicts", Conflicts, "conflict-declare", _COMMENT, mutates=True, interactive=True),
    Route("POST", "conflicts/<int:conflict_id>/withdrawal", ConflictWithdrawals, "conflict-withdraw", _COMMENT, mutates=True, interactive=True),
    Route("GET", "delegations", Delegations, "delegations", "review.read"),
    Route("POST", "delegations", Delegations, "delegate", _SIGN, mutates=True, interactive=True),
    Route("POST", "delegations/<int:delegation_id>/end", DelegationEnds, "delegation-end", _SIGN, mutates=True, interactive=True),
)  # fmt: skip

_CHANGE: Final = "model-changes/<int:change_id>"
_POLICY_CHANGE: Final = "policy-changes/<int:policy_change_id>"
_CHANGES: Final = (
    Route("GET", f"{_MODEL}/changes", ModelChanges, "model-changes", "model.read"),
    Route("POST", f"{_MODEL}/changes", ModelChanges, "model-change", "model.manage", mutates=True, interactive=True),
    Route("GET", _CHANGE, OneModelChange, "one-model-change", "model.read"),
    Route("POST", f"{_CHANGE}/signatures", ModelChangeSignatures, "model-change-sign", _SIGN, mutates=True, interactive=True),
    Route("POST", f"{_CHANGE}/withdrawal", ModelChangeWithdrawal, "model-change-withdraw", "model.manage", mutates=True, interactive=True),
    Route("GET", "policies", Policies, "policies", "model.read"),
    Route("GET", "policies/<str:policy_key>/<int:policy_number>", OnePolicy, "policy", "model.read"),
    Route("GET", f"{_POLICY_CHANGE}/simulation", PolicySimulations, "policy-simulation", "model.read"),
    Route("GET", "policy-changes", PolicyChanges, "policy-changes", "model.read"),
    Route("POST", "policy-changes", PolicyChanges, "policy-propose", "policy.edit", mutates=True, interactive=True),
    Route("GET", _POLICY_CHANGE, OnePolicyChange, "policy-change", "model.read"),
    Route("POST", f"{_POLICY_CHANGE}/signatures", PolicySignatures, "policy-sign", "policy.sign", mutates=True, interactive=True),
    Route("POST", f"{_POLICY_CHANGE}/withdrawal", PolicyWithdrawal, "policy-withdraw", "policy.edit", mutates=True, interactive=True),
)  # fmt: skip

_DOCUMENT: Final = "documents/<uuid:document>"
_DOCUMENTS: Final = (
    Route("GET", f"{_VERSION}/document-kinds", DocumentKinds, "document-kinds", "review.read"),
    Route("GET", f"{_VERSION}/documents", Documents, "documents", "review.read"),
    Route("POST", f"{_VERSION}/documents", Documents, "document-make", "review.read", mutates=True),
    Route("POST", f"{_VERSION}/bundle", Bundles, "bundle", "review.read", mutates=True),
    Route("GET", _DOCUMENT, OneDocument, "document", "review.read"),
    Route("GET", f"{_DOCUMENT}/file.pdf", DocumentFile, "document-file", "review.read"),
    Route("GET", f"{_DOCUMENT}/page.html", DocumentWebPage, "document-page", "review.read"),
    Route("GET", f"{_DOCUMENT}/forms/<str:form>", DocumentForm, "document-form", "review.read"),
    Route("GET", "schemas/card.v1.json", CardSchema, "card-schema", "model.read"),
)  # fmt: skip

_BATCH: Final = "batches/<uuid:batch>"
_STATEMENTS: Final = f"{_VERSION}/statements/<str:kind>"
_BATCHES: Final = (
    Route("GET", _STATEMENTS, Statements, "statement", "model.read"),
    Route("POST", _STATEMENTS, Statements, "statement-record", "card.edit", mutates=True),
    Route("GET", f"{_STATEMENTS}/recorded", RecordedStatements, "statements", "model.read"),
    Route("GET", "batches", Batches, "batches", "review.read"),
    Route("POST", "batches", Batches, "batch-make", "review.read", mutates=True),
    Route("GET", _BATCH, OneBatch, "batch", "review.read"),
    Route("GET", f"{_BATCH}/items", BatchItems, "batch-items", "review.read"),
    Route("GET", f"{_BATCH}/documents.zip", BatchArchive, "batch-archive", "review.read"),
    Route("POST", f"{_BATCH}/cancel", BatchCancellation, "batch-cancel", "review.read", mutates=True),
)  # fmt: skip

_IMPACT: Final = f"{_MODEL}/impact"
_REVISIONS: Final = f"{_IMPACT}/revisions"
_ASSESSING: Final = (
    Route("GET", "questionnaires", Questionnaires, "questionnaires", "model.read"),
    Route("GET", "questionnaires/<str:edition>", OneQuestionnaire, "questionnaire", "model.read"),
    Route("GET", "schemas/questionnaire.json", QuestionnaireSchema, "questionnaire-schema", "model.read"),
    Route("GET", _IMPACT, Impact, "impact", "model.read"),
    Route("GET", _REVISIONS, Revisions, "impact-revisions", "model.read"),
    Route("POST", _REVISIONS, Revisions, "impact-save", "impact.edit", mutates=True),
    Route("GET", f"{_REVISIONS}/<int:revision>", OneRevision, "impact-revision", "model.read"),
    Route("POST", f"{_REVISIONS}/<int:revision>/signatures", Signatures, "impact-sign", "impact.sign", mutates=True, interactive=True),
    Route("POST", f"{_IMPACT}/notifications", Notifications, "impact-notify", "impact.edit", mutates=True),
    Route("POST", f"{_IMPACT}/lowering", Lowering, "impact-lower", "model.manage", mutates=True, interactive=True),
)  # fmt: skip

_FOLLOWED: Final = f"{_MODEL}/card-template"
_TEMPLATES: Final = (
    Route("GET", "card-templates", Templates, "card-templates", "model.read"),
    Route("POST", "card-templates", Templates, "card-template-define", "card.define", mutates=True, interactive=True),
    Route("GET", "card-templates/<str:template>/<int:template_number>", OneTemplate, "card-template", "model.read"),
    Route("GET", "schemas/card-template.json", TemplateSchema, "card-template-schema", "model.read"),
    Route("GET", _FOLLOWED, ModelTemplate, "model-card-template", "model.read"),
    Route("POST", _FOLLOWED, ModelTemplate, "card-template-choose", "card.template", mutates=True, interactive=True),
)  # fmt: skip

_ENGAGEMENT: Final = "engagements/<int:engagement_id>"
_AUDITING: Final = (
    Route("GET", "engagements", Engagements, "engagements", "model.read"),
    Route("GET", _ENGAGEMENT, OneEngagement, "engagement", "audit.read"),
    Route("GET", f"{_ENGAGEMENT}/samples", Samples, "engagement-samples", "audit.read"),
    Route("GET", f"{_ENGAGEMENT}/samples/<int:sample_number>", OneSample, "engagement-sample", "audit.read"),
)  # fmt: skip

ROUTES: Final[tuple[Route, ...]] = (
    *_AUDITING, *_READING, *_ACTING, *_AFTERWARDS, *_CHALLENGE, *_INDEPENDENCE, *_CHANGES, *_DOCUMENTS, *_BATCHES, *_ASSESSING,
    *_TEMPLATES,
)  # fmt: skip
