"""One settings module, driven by the environment; docs/settings.md lists every variable."""

from __future__ import annotations

import urllib.parse
from pathlib import Path
from typing import Any

from config import env

BASE_DIR = Path(__file__).resolve().parent.parent
VAR = Path(env.text("VAR", str(BASE_DIR / "var"))).resolve()

DEBUG = env.flag("DEBUG", default=False)
SECRET_KEY = env.text("SECRET_KEY", "")
ALLOWED_HOSTS = env.items("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
BASE_URL = env.text("BASE_URL", "http://localhost:8000").rstrip("/")
CSRF_TRUSTED_ORIGINS = env.items("CSRF_TRUSTED_ORIGINS")

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
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
    "apps.modelcards",
    "apps.reviews",
    "apps.compliance",
    "apps.api",
    "apps.web",
]


def _database(url: str) -> dict[str, Any]:
    """DATABASE_URL (postgresql://user:password@host:port/name, or ?host=/socket/folder) as Django wants it."""
    parts = urllib.parse.urlsplit(url)
    query = dict(urllib.parse.parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": urllib.parse.unquote(parts.path.lstrip("/")) or "countersign",
        "USER": urllib.parse.unquote(parts.username or ""),
        "PASSWORD": urllib.parse.unquote(parts.password or ""),
        "HOST": query.get("host", parts.hostname or ""),
        "PORT": str(parts.port or query.get("port", "")),
    }


# The site runs as DATABASE_URL's role, which owns nothing; migrations run as DATABASE_OWNER_URL's.
DATABASES = {"default": _database(env.text("DATABASE_URL", "postgresql:///countersign"))}

AUTH_USER_MODEL = "accounts.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-gb"
STATIC_URL = "static/"
STATIC_ROOT = VAR / "static"
GUARDIAN_RAISE_403 = False
ANONYMOUS_USER_NAME = None
KNOX_TOKEN_MODEL = "accounts.AccessToken"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
    }
]
PROMOTION_GATES = [
    "apps.checks.gates.required_checks_pass",
    "apps.modelcards.gates.card_complete",
    "apps.reviews.gates.quorum_signed",
]
