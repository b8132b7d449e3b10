"""The pages' addresses, by area. A new route needs a row in tests/web/permission_matrix.py."""

from __future__ import annotations

from django.conf import settings
from django.urls import URLPattern, URLResolver, path

from apps.web.views import (
    account,
    aftermath,
    audit,
    batches,
    bundles,
    card_templates,
    cards,
    check_forms,
    checkpoints,
    definitions,
    deployments,
    discussion,
    engagements,
    evidence,
    experiments,
    findings,
    health,
    home,
    impact,
    independence,
    model_changes,
    model_forms,
    models,
    notices,
    people,
    policies,
    policy_editor,
    preferences,
    registering,
    reports,
    retiring,
    reviews,
    runs,
    search,
    session,
    styleguide,
    system,
    teams,
    uploaded,
    using,
    verifying,
    versions,
    waivers,
    webhooks,
)

app_name = "web"

# Coming in, and what is open to everybody.
urlpatterns: list[URLPattern | URLResolver] = [
    path("health", health.health, name="health"),
    path("sign-in/", session.sign_in, name="sign-in"),
    path("sign-out/", session.sign_out, name="sign-out"),
    path("setup/", session.setup, name="setup"),
    path("theme/", preferences.theme, name="theme"),
    path("shortcuts/", preferences.shortcuts, name="shortcuts"),
    path("help/", preferences.help_page, name="help"),
    path("search/", search.search, name="search"),
]

# One's own account.
urlpatterns += [
    path("account/", account.account, name="account"),
    path("account/password/", account.password, name="account-password"),
    path("account/tokens/", account.tokens, name="tokens"),
    path("account/tokens/<uuid:token_uuid>/revoke/", account.revoke_token, name="token-revoke"),
]

# People, teams, directory groups, the system.
urlpatterns += [
    path("people/", people.people, name="people"),
    path("people/new/", people.new_person, name="person-new"),
    path("people/new-service/", people.new_service, name="service-new"),
    path("people/<int:user_id>/", people.person, name="person"),
    path("people/<int:user_id>/edit/", people.edit, name="person-edit"),
    path("people/<int:user_id>/owners/", people.owners, name="person-owners"),
    path("people/<int:user_id>/reset/", people.reset, name="person-reset"),
    path("people/<int:user_id>/deactivate/", people.deactivate, name="person-deactivate"),
    path("people/<int:user_id>/reactivate/", people.reactivate, name="person-reactivate"),
    path("people/<int:user_id>/grant/", people.grant, name="person-grant"),
    path("people/<int:user_id>/revoke/", people.revoke, name="person-revoke"),
    path("people/teams/", teams.teams, name="teams"),
    path("people/new-team/", teams.new_team, name="team-new"),
    path("people/teams/<slug:key>/", teams.team, name="team"),
    path("people/teams/<slug:key>/rename/", teams.rename, name="team-rename"),
    path("people/teams/<slug:key>/revoke/", teams.revoke, name="team-revoke"),
    path("people/groups/", teams.groups, name="groups"),
    path("people/groups/revoke/", teams.revoke_group, name="group-revoke"),
    path("system/", system.system, name="system"),
]

# Home, and the record.
urlpatterns += [
    path("", home.home, name="home"),
    path("audit/", audit.audit, name="audit"),
    path("audit/attempts/", audit.attempts, name="audit-attempts"),
    path("audit/export/", audit.export, name="audit-export"),
    path("audit/checkpoints/", checkpoints.listed, name="checkpoints"),
    path("audit/checkpoints/new/", checkpoints.new, name="checkpoint-new"),
    path("audit/checkpoints/<int:size>/", checkpoints.one, name="checkpoint"),
    path("audit/checkpoints/<int:old>/to/<int:new>/", checkpoints.proof, name="checkpoint-proof"),
    path("audit/<int:seq>/", audit.event, name="event"),
    path("audit/<int:seq>/extract.json", audit.extract, name="event-extract"),
]

# Audit engagements.
_ENGAGEMENT = "audit/engagements/<int:engagement_id>/"
urlpatterns += [
    path("audit/engagements/", engagements.engagements, name="engagements"),
    path("audit/engagements/new/", engagements.new, name="engagement-new"),
    path(_ENGAGEMENT, engagements.engagement, name="engagement"),
    path(_ENGAGEMENT + "about/", engagements.about, name="engagement-about"),
    path(_ENGAGEMENT + "evidence/", engagements.cell, name="engagement-cell"),
    path(_ENGAGEMENT + "samples/", engagements.samples, name="engagement-samples"),
    path(_ENGAGEMENT + "samples/<int:number>/", engagements.sample, name="engagement-sample"),
    path(
        _ENGAGEMENT + "samples/<int:number>/<int:position>/",
        engagements.item,
        name="engagement-item",
    ),
    path(_ENGAGEMENT + "notes/", engagements.notes, name="engagement-notes"),
    path(_ENGAGEMENT + "finding/", engagements.finding, name="engagement-finding"),
    path(_ENGAGEMENT + "documents/", engagements.documents, name="engagement-documents"),
    path(_ENGAGEMENT + "bundle/", engagements.bundle, name="engagement-bundle"),
    path(_ENGAGEMENT + "exports/", engagements.exports, name="engagement-exports"),
    path(_ENGAGEMENT + "checkpoint/", engagements.checkpoint, name="engagement-checkpoint"),
    path(_ENGAGEMENT + "close/", engagements.close, name="engagement-close"),
    path(_ENGAGEMENT + "report/", engagements.report, name="engagement-report"),
]

# Experiments and their runs. The comparison stands before the run, whose id could be any word.
urlpatterns += [
    path("experiments/", experiments.experiments, name="experiments"),
    path("experiments/<int:experiment_id>/", experiments.experiment, name="experiment"),
    path("runs/compare/", runs.compare, name="run-compare"),
    path("runs/<run_id>/", runs.run, name="run"),
    path("runs/<run_id>/register/", registering.register, name="run-register"),
    path("runs/<run_id>/artifacts/<path:path>", runs.artifact, name="run-artifact"),
]

# Models and their versions.
_VERSION = "models/<name>/<int:number>/"
urlpatterns += [
    path("models/", models.models, name="models"),
    path("models/new/", model_forms.new, name="model-new"),
    path("models/<name>/", models.model, name="model"),
    path("models/<name>/settings/", model_forms.settings, name="model-settings"),
    path("models/<name>/retire/", retiring.retire, name="model-retire"),
    path("models/<name>/bring-back/", retiring.bring_back, name="model-bring-back"),
    path("models/<name>/deployments/", deployments.of_model, name="model-deployments"),
    path("models/<name>/bundle/", bundles.of_model, name="model-bundle"),
    path("models/<name>/card-template/", card_templates.choose, name="model-card-template"),
    path("models/<name>/versions/new/", model_forms.new_version, name="version-new"),
    path(_VERSION, versions.version, name="version"),
    path(_VERSION + "compare/", versions.compare, name="version-compare"),
    path(_VERSION + "lineage/", versions.lineage, name="version-lineage"),
    path(_VERSION + "files/", versions.files, name="version-files"),
    path(_VERSION + "files/<path:path>", versions.file, name="version-file"),
    path(_VERSION + "history/", versions.history, name="version-history"),
    path(_VERSION + "describe/", versions.describe, name="version-describe"),
    path(_VERSION + "leave/", versions.leave, name="version-leave"),
    path(_VERSION + "deployments/new/", deployments.record, name="deployment-new"),
    path(_VERSION + "submit/", reviews.submit, name="submit"),
]

# The impact assessment of a model.
urlpatterns += [
    path("models/<name>/impact/", impact.impact, name="impact"),
    path("models/<name>/impact/edit/", impact.edit, name="impact-edit"),
    path("models/<name>/impact/sign/", impact.sign, name="impact-sign"),
    path("models/<name>/impact/compare/", impact.compare, name="impact-compare"),
    path("models/<name>/impact/notify/", impact.notify, name="impact-notify"),
    path("models/<name>/impact/lower/", impact.lower, name="impact-lower"),
    path("models/<name>/impact/assessment.json", impact.as_json, name="impact-json"),
]

# What happens to an approval afterwards: it is questioned, or repeated in an emergency.
urlpatterns += [
    path(_VERSION + "question/", aftermath.question, name="version-question"),
    path(_VERSION + "roll-back/", aftermath.roll_back, name="version-roll-back"),
    path("rollbacks/<int:rollback_id>/", aftermath.rollback, name="rollback"),
    path("rollbacks/<int:rollback_id>/review/", aftermath.review, name="rollback-review"),
]

# Where versions run.
urlpatterns += [
    path("environments/", deployments.environments, name="environments"),
    path("environments/new/", deployments.new_environment, name="environment-new"),
    path("environments/<str:key>/", deployments.environment, name="environment"),
    path("environments/<str:key>/edit/", deployments.edit_environment, name="environment-edit"),
    path("deployments/<uuid:deployment>/traffic/", deployments.traffic, name="deployment-traffic"),
    path("deployments/<uuid:deployment>/end/", deployments.end, name="deployment-end"),
]

# Changes of a model that take a signature.
_CHANGE = "model-changes/<int:change_id>/"
urlpatterns += [
    path(_CHANGE, model_changes.change, name="model-change"),
    path(_CHANGE + "sign/", model_changes.sign, name="model-change-sign"),
    path(_CHANGE + "withdraw/", model_changes.withdraw, name="model-change-withdraw"),
]

# What a version rests on: data, checks, card, documents.
urlpatterns += [
    path("checks/", evidence.all_checks, name="checks"),
    path(_VERSION + "data/", evidence.data, name="version-data"),
    path(_VERSION + "checks/", evidence.version_checks, name="version-checks"),
    path(_VERSION + "checks/run/", evidence.run_check, name="check-run"),
    path("models/<name>/regular-checks/", definitions.every, name="definitions"),
    path("models/<name>/regular-checks/new/", definitions.choose, name="definition-kinds"),
    path("models/<name>/regular-checks/new/<slug:kind>/", definitions.new, name="definition-new"),
    path(
        "models/<name>/regular-checks/<uuid:definition_uuid>/", definitions.edit, name="definition"
    ),
    path(_VERSION + "checks/new/", check_forms.choose, name="check-new"),
    path(_VERSION + "checks/new/<slug:kind>/", check_forms.settings, name="check-form"),
    path(_VERSION + "checks/<uuid:measurement_uuid>/", evidence.measurement, name="measurement"),
    path(
        _VERSION + "checks/<uuid:measurement_uuid>/result.json",
        evidence.measurement_json,
        name="measurement-json",
    ),
    path(
        _VERSION + "checks/<uuid:measurement_uuid>/result.csv",
        evidence.measurement_csv,
        name="measurement-csv",
    ),
    path(
        _VERSION + "checks/<uuid:measurement_uuid>/cancel/",
        evidence.cancel_check,
        name="measurement-cancel",
    ),
    path(
        _VERSION + "checks/<uuid:measurement_uuid>/recheck/",
        evidence.recheck,
        name="measurement-recheck",
    ),
    path(
        _VERSION + "checks/<uuid:measurement_uuid>/recall/",
        evidence.recall,
        name="measurement-recall",
    ),
    path(_VERSION + "checks/uploaded/new/", uploaded.new, name="uploaded-new"),
    path(_VERSION + "checks/uploaded/<uuid:result>/", uploaded.result, name="uploaded"),
    path(_VERSION + "checks/uploaded/<uuid:result>/file", uploaded.file, name="uploaded-file"),
    path(
        _VERSION + "checks/uploaded/<uuid:result>/recall/", uploaded.recall, name="uploaded-recall"
    ),
    path(_VERSION + "card/", cards.card, name="card"),
    path(_VERSION + "card/edit/", cards.edit, name="card-edit"),
    path(_VERSION + "card/compare/", cards.compare, name="card-compare"),
    path(_VERSION + "card/draft/", cards.draft, name="card-draft"),
    path(_VERSION + "card/preview/", cards.preview, name="card-preview"),
    path(_VERSION + "documents/", evidence.version_documents, name="version-documents"),
    path(_VERSION + "bundle/", bundles.of_version, name="version-bundle"),
    path(_VERSION + "documents/<slug:kind>/statement/", reports.statement, name="report-statement"),
    path("documents/verify/", verifying.verify, name="document-verify"),
    path("documents/batches/", batches.all_batches, name="batches"),
    path("documents/batches/<uuid:batch_uuid>/", batches.batch, name="batch"),
    path("documents/batches/<uuid:batch_uuid>/cancel/", batches.cancel, name="batch-cancel"),
    path("documents/batches/<uuid:batch_uuid>/documents.zip", batches.archive, name="batch-zip"),
    path("documents/<uuid:document_uuid>/", evidence.document, name="document"),
    path("documents/<uuid:document_uuid>/page.html", reports.document_page, name="document-page"),
    path("documents/<uuid:document_uuid>/card.pdf", evidence.document_pdf, name="document-pdf"),
    path(
        "documents/<uuid:document_uuid>/forms/<str:form>", using.document_form, name="document-form"
    ),
    path(_VERSION + "use/", using.use, name="version-use"),
]

# Who decides for whom, and who must not.
urlpatterns += [
    path("reviews/<int:review_id>/delegate/", independence.delegate, name="review-delegate"),
    path("reviews/<int:review_id>/conflict/", independence.conflict, name="review-conflict"),
    path(
        "conflicts/<int:conflict_id>/withdraw/",
        independence.withdraw_conflict,
        name="conflict-withdraw",
    ),
    path("account/delegations/", independence.delegations, name="delegations"),
    path("delegations/<int:delegation_id>/end/", independence.end, name="delegation-end"),
]

# Requests that clients asked for.
urlpatterns += [
    path("review-drafts/<int:draft_id>/discard/", reviews.discard_draft, name="draft-discard"),
]

# Reviews.
urlpatterns += [
    path("reviews/", reviews.reviews, name="reviews"),
    path("reviews/<int:review_id>/", reviews.review, name="review"),
    path("reviews/<int:review_id>/decide/", reviews.decide, name="review-decide"),
    path("reviews/<int:review_id>/decisions/<int:decision_id>/", reviews.receipt, name="decision"),
    path("reviews/<int:review_id>/step-aside/", reviews.step_aside, name="review-step-aside"),
    path("reviews/<int:review_id>/withdraw/", reviews.withdraw, name="review-withdraw"),
    path("reviews/<int:review_id>/new-round/", reviews.new_round, name="review-new-round"),
    path("reviews/<int:review_id>/promote/", reviews.promote, name="review-promote"),
]

# Other systems that are told.
_WEBHOOK = "system/webhooks/<int:endpoint_id>/"
urlpatterns += [
    path("system/webhooks/", webhooks.webhooks, name="webhooks"),
    path("system/webhooks/new/", webhooks.new, name="webhook-new"),
    path(_WEBHOOK, webhooks.webhook, name="webhook"),
    path(_WEBHOOK + "edit/", webhooks.edit, name="webhook-edit"),
    path(_WEBHOOK + "rotate/", webhooks.rotate, name="webhook-rotate"),
    path(_WEBHOOK + "off/", webhooks.off, name="webhook-off"),
    path(_WEBHOOK + "on/", webhooks.on, name="webhook-on"),
    path(_WEBHOOK + "deliveries/<int:delivery_id>/", webhooks.delivery, name="webhook-delivery"),
    path(_WEBHOOK + "deliveries/<int:delivery_id>/replay/", webhooks.replay, name="webhook-replay"),
]

# What one was told.
urlpatterns += [
    path("notices/", notices.notices, name="notices"),
    path("notices/mail/", notices.mails, name="mails"),
    path("notices/mail/<int:mail_id>/", notices.mail, name="mail"),
    path("account/notices/", notices.preferences, name="account-notices"),
    path("notices/read/", notices.read_all, name="notices-read"),
    path("notices/<int:notice_id>/read/", notices.read, name="notice-read"),
]

# Findings about a version.
_FINDING = "findings/<int:finding_id>/"
urlpatterns += [
    path(_VERSION + "findings/", findings.version_findings, name="version-findings"),
    path(_VERSION + "findings/new/", findings.raise_finding, name="finding-new"),
    path(_FINDING, findings.finding, name="finding"),
    path(_FINDING + "respond/", findings.respond, name="finding-respond"),
    path(_FINDING + "retest/", findings.retest, name="finding-retest"),
    path(_FINDING + "close/", findings.close, name="finding-close"),
    path(_FINDING + "accept/", findings.accept, name="finding-accept"),
    path(_FINDING + "reopen/", findings.reopen, name="finding-reopen"),
]

# Policies.
urlpatterns += [
    path("card-templates/", card_templates.templates, name="card-templates"),
    path("card-templates/schema.json", card_templates.schema, name="card-template-schema"),
    path("card-templates/define/", card_templates.define, name="card-template-define"),
    path("card-templates/<slug:key>/<int:number>/", card_templates.template, name="card-template"),
    path(
        "card-templates/<slug:key>/<int:number>.yaml",
        card_templates.yaml,
        name="card-template-yaml",
    ),
    path("policies/", policies.policies, name="policies"),
    path("policies/schema.json", policies.schema, name="policy-schema"),
    path("policies/propose/", policy_editor.propose, name="policy-propose"),
    path("policies/changes/<int:change_id>/", policies.change, name="policy-change"),
    path("policies/changes/<int:change_id>/sign/", policies.sign, name="policy-sign"),
    path("policies/changes/<int:change_id>/simulate/", policies.simulate, name="policy-simulate"),
    path("policies/changes/<int:change_id>/withdraw/", policies.withdraw, name="policy-withdraw"),
    path("policies/of/<slug:key>/", policies.policy, name="policy"),
    path("policies/of/<slug:key>/retire/", policies.retire, name="policy-retire"),
    path("policies/of/<slug:key>/<int:number>/", policies.version, name="policy-version"),
    path("policies/of/<slug:key>/<int:number>.yaml", policies.yaml, name="policy-yaml"),
]

# Waivers of a version's requirements, and what people say to each other in a review.
urlpatterns += [
    path(_VERSION + "waivers/new/", waivers.grant, name="waiver-new"),
    path("waivers/<int:waiver_id>/revoke/", waivers.revoke, name="waiver-revoke"),
    path("reviews/<int:review_id>/viewed/", reviews.viewed, name="review-viewed"),
    path("reviews/<int:review_id>/comments/new/", discussion.start, name="review-comment"),
    path("threads/<int:thread_id>/reply/", discussion.reply, name="thread-reply"),
    path("threads/<int:thread_id>/resolve/", discussion.resolve, name="thread-resolve"),
    path("threads/<int:thread_id>/reopen/", discussion.reopen, name="thread-reopen"),
    path("comments/<int:comment_id>/edit/", discussion.edit, name="comment-edit"),
]

if settings.DEBUG:
    urlpatterns.append(path("styleguide/", styleguide.styleguide, name="styleguide"))
