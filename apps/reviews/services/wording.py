"""What people write about a version: text, links and evidence, refused beside the field they stand in."""

from __future__ import annotations

import re
import uuid
from urllib.parse import urlsplit

from apps.checks.models import Measurement, MeasurementStatus
from apps.core.actor import Actor
from apps.core.errors import Invalid, NotFound
from apps.experiments import selectors as experiments
from apps.registry.models import ModelVersion
from apps.reviews.models import EvidenceKind

MAX_TEXT = 10_000
MAX_LINE = 200
MAX_LINK = 2_000
# What PostgreSQL, XML or a reader's eye cannot take: controls, lone surrogates, overrides of the reading direction.
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202d\u202e\ufffe\uffff\ud800-\udfff]"
)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_RUN = re.compile(r"[0-9a-f]{32}")


def text(value: str, field: str, *, limit: int = MAX_TEXT, required: bool = True) -> str:
    """The text without blanks around it; Invalid for none where one is needed, too much, or control characters."""
    if required and not value.strip():
        raise Invalid("Something is missing.", fields={field: "This is needed."})
    if len(value) > limit:
        problem = f"At most {limit:,} characters; these are {len(value):,}."
        raise Invalid("The text is too long.", fields={field: problem})
    if bad := _FORBIDDEN.search(value):
        problem = f"It holds the control character U+{ord(bad.group()):04X}; remove it."
        raise Invalid("The text cannot be kept.", fields={field: problem})
    return value.replace("\r\n", "\n").strip()


def line(value: str, field: str, *, required: bool = True) -> str:
    """One line of at most 200 characters."""
    found = text(value, field, limit=MAX_LINE, required=required)
    if "\n" in found:
        raise Invalid("The text cannot be kept.", fields={field: "One line only."})
    return found


def link(value: str, field: str) -> str:
    """An http or https address, or nothing."""
    found = text(value, field, limit=MAX_LINK, required=False)
    if found and not _is_web_address(found):
        problem = "An address that begins with http:// or https://."
        raise Invalid("The link cannot be kept.", fields={field: problem})
    return found


def _is_web_address(value: str) -> bool:
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return (
        parts.scheme in {"http", "https"}
        and bool(parts.hostname)
        and not re.search(r"""[\s"'<>\\]""", value)
    )


def evidence(actor: Actor, version: ModelVersion, value: str, field: str) -> tuple[str, str]:
    """What somebody points at, as kind and value: a measurement of this model by its id, a run that she may see,
    or a web address; two empty strings for nothing. Refuses what is none of these, or is not there."""
    given = text(value, field, limit=MAX_LINK, required=False)
    if not given:
        return "", ""
    if _UUID.fullmatch(given):
        return EvidenceKind.MEASUREMENT.value, _measurement(version, given.lower(), field)
    if _RUN.fullmatch(given):
        return EvidenceKind.RUN.value, _run(actor, given, field)
    if _is_web_address(given):
        return EvidenceKind.LINK.value, given
    problem = "The id of a measurement, the id of a run, or an http(s) address."
    raise Invalid("This is no evidence.", fields={field: problem})


def _measurement(version: ModelVersion, given: str, field: str) -> str:
    found = Measurement.objects.filter(
        uuid=uuid.UUID(given), version__model_id=version.model_id, status=MeasurementStatus.DONE
    )
    if not found.exists():
        problem = f"{version.model.name} has no finished measurement of this id."
        raise Invalid("This is no evidence.", fields={field: problem})
    return given


def _run(actor: Actor, given: str, field: str) -> str:
    try:
        return str(experiments.visible_run(actor, given).run_id)
    except NotFound as error:
        raise Invalid("This is no evidence.", fields={field: error.message}) from error
