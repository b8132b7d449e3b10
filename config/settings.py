"""One settings module, driven by the environment; docs/settings.md lists every variable.

Each app has a section; whoever adds a setting adds its row to docs/settings.md.
"""

from __future__ import annotations

import urllib.parse
from pathlib import Path
from typing import Any

from django.urls import reverse_lazy

from apps.notices import kinds as notice_kinds
from config import env, local, mail

# --- Place and identity -----------------------------------------------------------------------

BASE_DIR = Path(__file__).resolve().parent.parent
VAR = local.folder(Path(env.text("VAR", "") or BASE_DIR / "var").resolve())

DEBUG = env.flag("DEBUG", default=False)
BASE_URL = env.text("BASE_URL", "http://localhost:8000").rstrip("/")
_BASE = urllib.parse.urlsplit(BASE_URL)
_HTTPS = _BASE.scheme == "https"
SECRET_KEY = local.secret_key(VAR, may_generate=DEBUG or not env.text("DATABASE_URL", ""))
SECRET_KEY_FALLBACKS = env.items("SECRET_KEY_FALLBACKS")
ALLOWED_HOSTS = env.items(
    "ALLOWED_HOSTS", f"localhost,127.0.0.1,[::1],{_BASE.hostname or 'localhost'}"
)
CSRF_TRUSTED_ORIGINS = env.items("CSRF_TRUSTED_ORIGINS", BASE_URL)

# --- Django -----------------------------------------------------------------------------------

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "guardian",
    "knox",
    "mozilla_django_oidc",
    "django_htmx",
    "apps.core",
    "apps.audits",
    "apps.accounts",
    "apps.experiments",
    "apps.registry",
    "apps.checks",
    "apps.impact",
    "apps.modelcards",
    "apps.reviews",
    "apps.notices",
    "apps.compliance",
    "apps.engagements",
    "apps.api",
    "apps.web",
]

MIDDLEWARE = [
    "config.bodies.middleware",
    "apps.web.middleware.request_ids",
    "apps.web.middleware.content_security",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "apps.web.middleware.OwnPasswordFirst",
    "apps.web.middleware.Refusals",
]

# The site runs as DATABASE_URL's role, which owns nothing; migrations run as DATABASE_OWNER_URL's.
DATABASE_URL = env.text("DATABASE_URL", "") or local.running_database(VAR, "DATABASE_URL")
DATABASE_OWNER_URL = (
    env.text("DATABASE_OWNER_URL", "")
    or (not env.text("DATABASE_URL", "") and local.running_database(VAR, "DATABASE_OWNER_URL"))
    or DATABASE_URL
)
DATABASES: dict[str, dict[str, Any]] = {"default": local.database(DATABASE_URL)}
# Only a process of many threads gains by a pool; the web process sets it to its number of threads.
DATABASE_POOL = env.integer("DATABASE_POOL", 0)
if DATABASE_POOL:
    DATABASES["default"]["OPTIONS"]["pool"] = {
        "min_size": 1,
        "max_size": DATABASE_POOL,
        "timeout": 10,
    }

AUTH_USER_MODEL = "accounts.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-gb"
LOGIN_URL = reverse_lazy("web:sign-in")
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = reverse_lazy("web:sign-in")
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "apps.web.context.shell",
            ],
        },
    }
]
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

# --- Files ------------------------------------------------------------------------------------

BLOB_ROOT = Path(env.text("BLOB_ROOT", str(VAR / "blobs")))
FILE_UPLOAD_TEMP_DIR = local.folder(VAR / "uploads")
FILE_UPLOAD_PERMISSIONS = 0o600
DATA_UPLOAD_MAX_MEMORY_SIZE = env.integer("MAX_REQUEST_BYTES", 16 * 1024 * 1024)
STATIC_URL = "static/"
STATIC_ROOT = local.folder(VAR / "static")
STATICFILES_DIRS: list[Path] = []
# Names with a content hash need `collectstatic` (done by `manage.py bootstrap`); the tests read the sources.
STATIC_MANIFEST = env.flag("STATIC_MANIFEST", default=not DEBUG)
WHITENOISE_USE_FINDERS = not STATIC_MANIFEST
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if STATIC_MANIFEST
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

# What one artifact may weigh; uploads are streamed, so it is the disk that this protects.
MAX_ARTIFACT_BYTES = env.integer("MAX_ARTIFACT_BYTES", 64 * 1024**3)

# --- Sessions, cookies, headers ---------------------------------------------------------------

# Cookies know no ports: names of our own keep two sites on one host apart.
SESSION_COOKIE_NAME = "countersign_session"
SESSION_COOKIE_AGE = env.integer("SESSION_HOURS", 10) * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"  # an identity provider sends people back by a link
SESSION_COOKIE_SECURE = _HTTPS
CSRF_COOKIE_NAME = "countersign_csrf"
CSRF_COOKIE_HTTPONLY = True  # forms carry the token; no script reads it
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SECURE = _HTTPS
CSRF_FAILURE_VIEW = "apps.web.views.errors.csrf_failure"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = env.integer("HSTS_SECONDS", 31_536_000 if _HTTPS else 0)
SECURE_SSL_REDIRECT = False  # the proxy in front does it
X_FRAME_OPTIONS = "DENY"
if env.flag("TRUST_PROXY_HEADERS", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    USE_X_FORWARDED_HOST = True

# --- core: queue, outbox, roles ---------------------------------------------------------------

_QUEUE = local.folder(VAR / "queue")
CELERY_BROKER_URL = env.text("CELERY_BROKER_URL", "filesystem://")
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = (
    {
        "data_folder_in": str(local.folder(_QUEUE / "messages")),
        "data_folder_out": str(_QUEUE / "messages"),
        "control_folder": str(local.folder(_QUEUE / "control")),
        # One message per poll and worker: this number is the queue's speed.
        "polling_interval": 0.1,
    }
    if CELERY_BROKER_URL.startswith("filesystem:")
    else {}
)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_TIMEOUT = 3
CELERY_TASK_PUBLISH_RETRY = False  # the outbox row is the truth, beat sends again
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_DEFAULT_QUEUE = "work"
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_REDIRECT_STDOUTS = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_BEAT_SCHEDULER = "apps.core.heartbeats:Scheduler"
CELERY_BEAT_SCHEDULE_FILENAME = str(local.folder(VAR / "run") / "beat-schedule")
CELERY_BEAT_MAX_LOOP_INTERVAL = 5
# Beat sweeps the outbox itself (apps.core.heartbeats) and sends these only while a worker is alive.
CELERY_BEAT_SCHEDULE: dict[str, Any] = {
    "forget charts drawn long ago": {
        "task": "apps.core.tasks.forget_old_pictures",
        "schedule": 24 * 3600.0,
        "options": {"expires": 3600},
    },
}
CELERY_TIMEZONE = "UTC"

OUTBOX_LEASE_SECONDS = env.integer("OUTBOX_LEASE_SECONDS", 60)
OUTBOX_MAX_ATTEMPTS = env.integer("OUTBOX_MAX_ATTEMPTS", 5)
OUTBOX_BACKOFF_SECONDS = env.integer("OUTBOX_BACKOFF_SECONDS", 5)
HEARTBEAT_SECONDS = env.integer("HEARTBEAT_SECONDS", 10)

# Rows of these tables are written once: the site's role has neither UPDATE nor DELETE on them.
APPEND_ONLY_TABLES: list[str] = ["core_blob"]
# The site's role only reads these.
READ_ONLY_TABLES: list[str] = ["django_migrations"]

# --- audits: the ledger -----------------------------------------------------------------------

APPEND_ONLY_TABLES += ["audits_event", "audits_attempt", "audits_verification"]
APPEND_ONLY_TABLES += ["audits_signing_key", "audits_key_retirement"]
APPEND_ONLY_TABLES += ["audits_checkpoint", "audits_cosignature", "audits_witnessed_checkpoint"]
# Which tasks an event wakes: {event type: [dotted task names]}; one outbox row per task.
EVENT_TASKS: dict[str, list[str]] = {
    "registry.version.promoted": ["apps.reviews.tasks.note_promotion"],
    "checks.measurement.recalled": ["apps.reviews.tasks.void_on_recall"],
    "checks.uploaded.recalled": ["apps.reviews.tasks.void_on_recall"],
    "reviews.policy.proposed": ["apps.reviews.tasks.simulate_change"],
}
# What may question the approval of a version in use: its version or its model is looked at again.
for _event in (
    "checks.dataset.attached",
    "checks.measurement.done",
    "checks.measurement.recalled",
    "checks.uploaded.recalled",
    "registry.model.updated",
    "reviews.finding.raised",
    "reviews.finding.reopened",
    "reviews.model_change.closed",
    "reviews.waiver.revoked",
):
    EVENT_TASKS.setdefault(_event, []).append("apps.reviews.tasks.question_approval")
# What `verify_ledger` compares the events with: dotted callables, see apps.audits.reconcile.
LEDGER_RECONCILERS: list[str] = [
    "apps.audits.reconcile.guards",
    "apps.audits.reconcile.attempts",
    "apps.audits.reconcile.openings",
    "apps.audits.reconcile_checkpoints.differences",
]
# Equal attempts within so many seconds are counted instead of written one by one.
ATTEMPTS_WINDOW_SECONDS = env.integer("ATTEMPTS_WINDOW_SECONDS", 60)
# The server's own keys (apps/core/signing.py): PEM, or the files VAR/keys/ledger.pem and VAR/keys/documents.pem.
LEDGER_KEY = env.text("LEDGER_KEY", "")
DOCUMENT_KEY = env.text("DOCUMENT_KEY", "")
DOCUMENT_CERTIFICATE = env.text("DOCUMENT_CERTIFICATE", "")
SIGNING_NAME = env.text("SIGNING_NAME", "") or _BASE.netloc or "countersign"
KEYS_MADE_WHEN_NEEDED = env.flag(
    "KEYS_MADE_WHEN_NEEDED", default=DEBUG or not env.text("DATABASE_URL", "")
)
# A time stamp authority (RFC 3161) whose stamp every signed PDF gets; empty: none.
TIMESTAMP_URL = env.text("TIMESTAMP_URL", "")
TIMESTAMP_TIMEOUT_SECONDS = env.integer("TIMESTAMP_TIMEOUT_SECONDS", 20)
# Checkpoints: the ledger's name in them, how often one is made (0: only when asked), and where they are kept outside
# (file:/folder, mailto:address, s3://bucket/prefix). System check audits.E004 says what is wrong with them.
_NAMED = "-".join(SIGNING_NAME.replace("+", " ").split())
LEDGER_ORIGIN = env.text("LEDGER_ORIGIN", "") or f"{_NAMED}/ledger"
WITNESS_NAME = env.text("WITNESS_NAME", "") or f"{_NAMED}/witness"
CHECKPOINT_SECONDS = env.integer("CHECKPOINT_SECONDS", 3600)
CHECKPOINT_KEPT = env.items("CHECKPOINT_KEPT")
# Who cosigns ours: "address key", such as "https://other.example/witness other.example/witness+1f2e3d4c+BAAA...".
CHECKPOINT_WITNESSES = env.items("CHECKPOINT_WITNESSES")
# Whose we cosign: "origin key".
WITNESS_FOR = env.items("WITNESS_FOR")
if CHECKPOINT_SECONDS:
    CELERY_BEAT_SCHEDULE |= {
        "sign a checkpoint of the ledger": {
            "task": "apps.audits.tasks.sign_checkpoint",
            "schedule": float(CHECKPOINT_SECONDS),
            "options": {"expires": max(CHECKPOINT_SECONDS - 5, 5)},
        },
    }
# The site verifies what is new every few minutes, and all of it again after so many seconds.
LEDGER_FULL_VERIFY_SECONDS = env.integer("LEDGER_FULL_VERIFY_SECONDS", 3600)
CELERY_BEAT_SCHEDULE |= {
    "bind the attempts to the ledger": {
        "task": "apps.audits.tasks.anchor_attempts",
        "schedule": 60.0,
        "options": {"expires": 55},
    },
    "verify the ledger": {
        "task": "apps.audits.tasks.verify_ledger",
        "schedule": 300.0,
        "options": {"expires": 290},
    },
}

# --- accounts ---------------------------------------------------------------------------------

GUARDIAN_RAISE_403 = False
ANONYMOUS_USER_NAME = None
# Our own token model replaces knox's; its table would only be a stranger in the schema.
MIGRATION_MODULES: dict[str, str | None] = {"knox": None}
KNOX_TOKEN_MODEL = "accounts.AccessToken"  # noqa: S105 - a model's name
AUTH_PASSWORD_VALIDATORS: list[dict[str, Any]] = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("username", "display_name", "email")},
    },
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
AUTHENTICATION_BACKENDS = [
    "apps.accounts.backends.PasswordBackend",
    "apps.accounts.sso.ProviderBackend",
]
# Guardian's helpers on users and groups would grant rights past apps.accounts.services and the ledger.
GUARDIAN_MONKEY_PATCH_USER = False
GUARDIAN_MONKEY_PATCH_GROUP = False
# Its backend is left out for the same reason: apps.accounts.policy answers.
SILENCED_SYSTEM_CHECKS = ["guardian.W001"]
READ_ONLY_TABLES += ["accounts_role", "accounts_roleverb"]
LEDGER_RECONCILERS += ["apps.accounts.reconcile.differences"]

SIGN_IN_FAILURES = env.integer("SIGN_IN_FAILURES", 5)
SIGN_IN_LOCK_SECONDS = env.integer("SIGN_IN_LOCK_SECONDS", 900)
REAUTHENTICATION_SECONDS = env.integer("REAUTHENTICATION_SECONDS", 300)
PASSWORD_MEMORY_SECONDS = env.integer("PASSWORD_MEMORY_SECONDS", 60)
TOKEN_MAX_DAYS = env.integer("TOKEN_MAX_DAYS", 365)

OIDC_ISSUER = env.text("OIDC_ISSUER", "")
# What the button on the sign-in page calls the provider.
OIDC_PROVIDER_NAME = env.text("OIDC_PROVIDER_NAME", "your organisation")
OIDC_RP_CLIENT_ID = env.text("OIDC_CLIENT_ID", "")
OIDC_RP_CLIENT_SECRET = env.text("OIDC_CLIENT_SECRET", "")
OIDC_RP_SCOPES = env.text("OIDC_SCOPES", "openid profile email groups")
OIDC_GROUPS_CLAIM = env.text("OIDC_GROUPS_CLAIM", "groups")
# Explicit endpoints for a provider without discovery: all four or none.
OIDC_ENDPOINTS = env.together(
    authorization_endpoint="OIDC_AUTHORIZATION_ENDPOINT",
    token_endpoint="OIDC_TOKEN_ENDPOINT",  # noqa: S106 - a variable's name
    userinfo_endpoint="OIDC_USERINFO_ENDPOINT",
    jwks_uri="OIDC_JWKS_ENDPOINT",
)
OIDC_TIMEOUT = 10
OIDC_RP_SIGN_ALGO = "RS256"
OIDC_USE_PKCE = True
OIDC_AUTHENTICATE_CLASS = "apps.accounts.sso_views.Begin"
OIDC_CALLBACK_CLASS = "apps.accounts.sso_views.Callback"

# --- registry ---------------------------------------------------------------------------------

PROMOTION_GATES = [
    "apps.reviews.gates.checks_pass",
    "apps.reviews.gates.card_complete",
    "apps.impact.gates.assessed",
    "apps.reviews.gates.rules_hold",
    "apps.reviews.gates.evidence_holds",
    "apps.reviews.findings_gate.no_blocking_findings",
    "apps.reviews.gates.quorum_signed",
]
# Asked before a model's tier, team or tags change: what that lets go. See apps.registry.standing.
STANDING_RULE = "apps.reviews.coverage.let_go"
# Whether a version may run in a governed environment at this moment: asked before a deployment is recorded there.
DEPLOYMENT_RULE = "apps.reviews.admission.may_run"
# What else is in the way of retiring a model: each is given the model and answers in sentences.
RETIREMENT_BLOCKERS: list[str] = ["apps.reviews.retirement.under_way"]
# Told of a promotion that was refused for want of an approval; may keep a draft of the request.
AFTER_REFUSAL = "apps.reviews.services.drafting.keep_draft"
DEFAULT_GOVERNANCE = env.choice("DEFAULT_GOVERNANCE", "governed", ("governed", "sandbox"))
READ_ONLY_TABLES += ["registry_governedtarget", "registry_deploymentshare"]
APPEND_ONLY_TABLES += ["registry_versionfile", "registry_modelretirement"]
LEDGER_RECONCILERS += ["apps.experiments.reconcile.differences"]
LEDGER_RECONCILERS += ["apps.registry.reconcile.differences"]
LEDGER_RECONCILERS += ["apps.registry.reconcile_deployments.differences"]
LEDGER_RECONCILERS += ["apps.registry.reconcile_retirement.differences"]

# --- checks -----------------------------------------------------------------------------------

APPEND_ONLY_TABLES += ["checks_evaluationdataset", "checks_recheck", "checks_recheckresult"]
APPEND_ONLY_TABLES += ["checks_uploadedresult", "checks_uploadedrecall"]
LEDGER_RECONCILERS += ["apps.checks.reconcile.differences"]
# Beyond these a check answers with an error; it never measures a sample instead.
CHECKS_MAX_FILE_BYTES = env.integer("CHECKS_MAX_FILE_BYTES", 2 * 1024**3)
CHECKS_MAX_ROWS = env.integer("CHECKS_MAX_ROWS", 100_000_000)
CHECKS_MEMORY_MB = env.integer("CHECKS_MEMORY_MB", 1024)
CHECKS_THREADS = env.integer("CHECKS_THREADS", 2)
# A check that goes through more values than this is counted in pieces, which several workers take.
CHECKS_PIECE_VALUES = env.integer("CHECKS_PIECE_VALUES", 100_000_000)
# `local`, or the address of an engine that Ibis speaks to; system check checks.E001 says what it lacks.
CHECKS_ENGINE = env.text("CHECKS_ENGINE", "local")
# Whether the worker scans the files of every version that is registered; else somebody asks for it.
CHECKS_SCAN_REGISTERED = env.flag("CHECKS_SCAN_REGISTERED", default=True)
if CHECKS_SCAN_REGISTERED:
    EVENT_TASKS.setdefault("registry.version.registered", []).append(
        "apps.checks.tasks.scan_registered"
    )
# What the policy demands of a version: asked by definitions that have just that measured.
CHECKS_DEMANDED = "apps.reviews.in_force.demanded_checks"
APPEND_ONLY_TABLES += [
    "checks_checkdefinition",
    "checks_definitionrevision",
    "checks_definitionrun",
]
EVENT_TASKS.setdefault("registry.version.registered", []).append(
    "apps.checks.tasks.start_on_registration"
)
EVENT_TASKS.setdefault("checks.dataset.attached", []).append("apps.checks.tasks.start_on_data")
CELERY_BEAT_SCHEDULE |= {
    "start checks that are due": {
        "task": "apps.checks.tasks.start_due_definitions",
        "schedule": 300.0,
        "options": {"expires": 290},
    },
}
CHECKS_SCRATCH = local.folder(VAR / "scratch")
# What may be copied from S3 as evaluation data: buckets, or bucket/prefix; none: nothing. Whom to ask is the endpoint (empty: AWS
# in the region); the credentials are AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN of the environment.
CHECKS_S3_ALLOWED = env.items("CHECKS_S3_ALLOWED", "")
CHECKS_S3_ENDPOINT = env.text("CHECKS_S3_ENDPOINT", "")
CHECKS_S3_REGION = env.text("CHECKS_S3_REGION", "us-east-1")
# The largest results file of another tool. By the API it comes as base64 in a body, so MAX_REQUEST_BYTES bounds it too.
UPLOADED_RESULT_MAX_BYTES = env.integer("UPLOADED_RESULT_MAX_BYTES", 10 * 1024**2)

# --- impact ------------------------------------------------------------------------------------

APPEND_ONLY_TABLES += ["impact_assessmentrevision", "impact_assessmentsignature"]
APPEND_ONLY_TABLES += ["impact_authoritynotification"]
LEDGER_RECONCILERS += ["apps.impact.reconcile.differences"]

# --- modelcards, compliance -------------------------------------------------------------------

APPEND_ONLY_TABLES += [
    "modelcards_cardrevision",
    "modelcards_cardtemplateversion",
    "modelcards_cardtemplatechoice",
    "compliance_reportstatement",
]
APPEND_ONLY_TABLES += ["compliance_documentform", "compliance_useacknowledgement"]
EVENT_TASKS.setdefault("compliance.document.issued", []).append("apps.compliance.tasks.make_forms")
# Who may read a version but not edit its model says first that she read its uses, then gets its files in the pages and
# passes the gate of a deployment.
USES_ACKNOWLEDGED_FIRST = env.flag("USES_ACKNOWLEDGED_FIRST", default=False)

LEDGER_RECONCILERS += [
    "apps.modelcards.reconcile.differences",
    "apps.compliance.reconcile.differences",
]

# --- engagements ------------------------------------------------------------------------------

APPEND_ONLY_TABLES += [
    "engagements_engagement",
    "engagements_scopedmodel",
    "engagements_engagementauditor",
    "engagements_engagementend",
    "engagements_sample",
    "engagements_sampleddecision",
    "engagements_conclusion",
    "engagements_note",
    "engagements_engagementfinding",
]
LEDGER_RECONCILERS += ["apps.engagements.reconcile.differences"]
CELERY_BEAT_SCHEDULE |= {
    "end engagements whose time is over": {
        "task": "apps.engagements.tasks.end_expired",
        "schedule": 300.0,
        "options": {"expires": 290},
    },
}

# --- reviews ----------------------------------------------------------------------------------

APPEND_ONLY_TABLES += [
    "reviews_decision",
    "reviews_decisionenvelope",
    "reviews_findingentry",
    "reviews_policyversion",
    "reviews_policysignature",
    "reviews_policyactivation",
]
LEDGER_RECONCILERS += [
    "apps.reviews.reconcile.decisions.differences",
    "apps.reviews.reconcile.findings.differences",
    "apps.reviews.reconcile.policies.differences",
]

APPEND_ONLY_TABLES += ["reviews_waiver", "reviews_waiverrevocation", "reviews_thread"]
APPEND_ONLY_TABLES += ["reviews_comment", "reviews_commentrevision", "reviews_threadmark"]
APPEND_ONLY_TABLES += ["reviews_recusal", "reviews_conflict", "reviews_conflictwithdrawal"]
APPEND_ONLY_TABLES += ["reviews_delegation", "reviews_delegationend"]
LEDGER_RECONCILERS += ["apps.reviews.reconcile.independence.differences"]
LEDGER_RECONCILERS += ["apps.reviews.reconcile.waivers.waivers"]
LEDGER_RECONCILERS += ["apps.reviews.reconcile.waivers.discussion"]
APPEND_ONLY_TABLES += ["reviews_modelchangesignature"]
LEDGER_RECONCILERS += ["apps.reviews.reconcile.standing.differences"]
APPEND_ONLY_TABLES += ["reviews_reminder", "reviews_policysimulation"]
LEDGER_RECONCILERS += ["apps.reviews.reconcile.reminders.differences"]
LEDGER_RECONCILERS += ["apps.reviews.reconcile.simulations.differences"]
APPEND_ONLY_TABLES += ["reviews_rereview", "reviews_rollback", "reviews_rollbackreview"]
LEDGER_RECONCILERS += ["apps.reviews.reconcile.aftermath.differences"]
CELERY_BEAT_SCHEDULE |= {
    "end delegations without a role": {
        "task": "apps.reviews.tasks.end_orphaned_delegations",
        "schedule": 300.0,
        "options": {"expires": 290},
    },
    "remind of the deadlines of steps": {
        "task": "apps.reviews.tasks.remind_of_deadlines",
        "schedule": 300.0,
        "options": {"expires": 290},
    },
    "question approvals that time has overtaken": {
        "task": "apps.reviews.tasks.question_approvals",
        "schedule": 300.0,
        "options": {"expires": 290},
    },
    "put scheduled policies in force": {
        "task": "apps.reviews.tasks.put_policies_in_force",
        "schedule": 60.0,
        "options": {"expires": 55},
    },
    "expire reviews that waited too long": {
        "task": "apps.reviews.tasks.expire_reviews",
        "schedule": 60.0,
        "options": {"expires": 55},
    },
}

# --- notices ----------------------------------------------------------------------------------

for _event in notice_kinds.EVENTS:
    EVENT_TASKS.setdefault(_event, []).append("apps.notices.tasks.make_notices")
# Without a mail server the site keeps its mails and shows them at /notices/mail/.
_MAIL = mail.settings(env.text("EMAIL_URL", "mailbox:"))
EMAIL_BACKEND: str = _MAIL["EMAIL_BACKEND"]
EMAIL_HOST: str = _MAIL.get("EMAIL_HOST", "localhost")
EMAIL_PORT: int = _MAIL.get("EMAIL_PORT", 25)
EMAIL_HOST_USER: str = _MAIL.get("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD: str = _MAIL.get("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS: bool = _MAIL.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL: bool = _MAIL.get("EMAIL_USE_SSL", False)
for _event in notice_kinds.HOOKED:
    EVENT_TASKS.setdefault(_event, []).append("apps.notices.tasks.fan_out")
APPEND_ONLY_TABLES += ["notices_webhookattempt"]
LEDGER_RECONCILERS += ["apps.notices.reconcile.differences"]
# Private networks that webhooks may reach; everything that is not public is refused otherwise.
WEBHOOK_ALLOWED_NETWORKS = env.networks("WEBHOOK_ALLOWED_NETWORKS")
WEBHOOK_ALLOW_HTTP = env.flag("WEBHOOK_ALLOW_HTTP", default=False)
WEBHOOK_CA_FILE = env.text("WEBHOOK_CA_FILE", "")
WEBHOOK_HOSTS_FILE = env.text("WEBHOOK_HOSTS_FILE", "")
WEBHOOK_TIMEOUT_SECONDS = env.integer("WEBHOOK_TIMEOUT_SECONDS", 10)
WEBHOOK_BACKOFF_SECONDS = env.integer("WEBHOOK_BACKOFF_SECONDS", 5)
WEBHOOK_MAX_TRIES = env.integer("WEBHOOK_MAX_TRIES", 12)
WEBHOOK_OFF_AFTER_DAYS = env.integer("WEBHOOK_OFF_AFTER_DAYS", 5)
WEBHOOK_ROTATION_HOURS = env.integer("WEBHOOK_ROTATION_HOURS", 24)
DEFAULT_FROM_EMAIL = env.text("MAIL_FROM", f"countersign@{_BASE.hostname or 'localhost'}")
EMAIL_TIMEOUT = 10

# --- api --------------------------------------------------------------------------------------

REST_FRAMEWORK: dict[str, Any] = {
    # Deny by default: a view that names nothing answers nobody.
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": ["apps.api.permissions.Nobody"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_SCHEMA_CLASS": "apps.api.v1.schema.Described",
}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "OAS_VERSION": "3.1.0",
    "TITLE": "Countersign",
    "DESCRIPTION": "Reviews, the registry and the gate. Refusals are problem details (RFC 9457).",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "ReviewStatus": "apps.reviews.models.ReviewStatus",
        "MeasurementStatus": "apps.checks.models.MeasurementStatus",
        "Outcome": "apps.reviews.models.Outcome",
        "DocumentKind": "apps.compliance.models.DocumentKind",
        "DocumentStatus": "apps.compliance.models.DocumentStatus",
        "Governance": "apps.registry.models.Governance",
        "Stage": "apps.registry.models.Stage",
        "UploadedOutcome": "apps.checks.uploaded.reading.Outcome",
        "UploadedState": "apps.checks.uploaded.reading.State",
    },
    "ENUM_ADD_EXPLICIT_BLANK_NULL_CHOICE": False,
}

# --- Log: one JSON object a line on standard error ---------------------------------------------

LOG_LEVEL = env.choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR"))
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "apps.core.logs.JsonFormatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        "django.server": {"handlers": [], "propagate": True},
        "fontTools": {"level": "WARNING"},
        "weasyprint": {"level": "ERROR"},
    },
}
