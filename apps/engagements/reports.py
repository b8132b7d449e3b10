"""What an engagement came to: scope, samples with conclusions, notes and findings, as data and as a table of decisions."""

from __future__ import annotations

from typing import Any, Final

from apps.core import canonical, flat
from apps.engagements import frameworks, selectors
from apps.engagements.models import Conclusion, Engagement, Note, Sample, SampledDecision

SCHEMA: Final = "countersign.engagement/1"
COLUMNS: Final = (
    "sample", "position", "ticket", "review", "model", "version", "signer", "meaning", "signed_at", "statement_digest",
    "conclusion", "note", "concluded_by", "concluded_at", "findings",
)  # fmt: skip


def about(engagement: Engagement) -> dict[str, Any]:
    """The engagement itself."""
    framework = frameworks.get(engagement.framework)
    extent = selectors.extent_of(engagement)
    end = engagement.closing
    return {
        "id": engagement.pk,
        "uuid": str(engagement.uuid),
        "title": engagement.title,
        "purpose": engagement.purpose,
        "framework": {
            "key": framework.key,
            "title": framework.title,
            "law": framework.law,
            "source": framework.source,
            "as_of": framework.as_of.isoformat(),
            "digest": engagement.framework_digest,
        },
        "period": {
            "from": engagement.period_from.isoformat(),
            "to": engagement.period_to.isoformat(),
        },
        "ends_on": engagement.ends_on.isoformat(),
        "opened_by": str(engagement.opened_by),
        "opened_at": engagement.opened_at.isoformat(),
        "open": engagement.is_open,
        "ended": {"how": end.how, "at": end.at.isoformat()} if end else None,
        "models": [model.name for model in selectors.models_of(engagement)],
        "auditors": [str(user) for user in engagement.auditors.order_by("username")],
        "extent": {
            "versions": extent.versions,
            "decisions": extent.decisions,
            "documents": extent.documents,
        },
    }


def sample_as_data(sample: Sample) -> dict[str, Any]:
    """One drawing, with all that was concluded."""
    items = [_item(item) for item in selectors.items(sample)]
    return {**drawing_as_data(sample), "items": items}


def drawing_as_data(sample: Sample) -> dict[str, Any]:
    """One drawing: how it can be drawn again."""
    return {
        "number": sample.number,
        "uuid": str(sample.uuid),
        "seed": sample.seed,
        "rule": sample.rule,
        "asked": sample.asked,
        "population": sample.population,
        "population_digest": sample.population_digest,
        "drawn_by": str(sample.drawn_by),
        "drawn_at": sample.drawn_at.isoformat(),
    }


def as_json(engagement: Engagement) -> dict[str, Any]:
    """The whole engagement."""
    return {
        "schema": SCHEMA,
        **about(engagement),
        "samples": [
            sample_as_data(row) for row in selectors.samples(engagement).order_by("number")
        ],
        "notes": [_note(row) for row in selectors.notes(engagement)],
        "findings": [
            {
                "finding": row.finding.key,
                "model": row.finding.version.model.name,
                "version": row.finding.version.number,
                "title": row.finding.title,
                "severity": row.finding.severity,
                "state": row.finding.state,
                "control": row.control,
            }
            for row in selectors.findings(engagement)
        ],
    }


def written(engagement: Engagement) -> bytes:
    """`as_json` as the bytes that are handed out."""
    return canonical.dumps(as_json(engagement))


def as_csv(engagement: Engagement) -> bytes:
    """One row per sampled decision with the conclusion that counts."""
    rows = [
        _row(sample, item)
        for sample in selectors.samples(engagement).order_by("number")
        for item in selectors.items(sample)
    ]
    return b"".join(flat.encoded([COLUMNS, *rows]))


def newest(item: SampledDecision) -> Conclusion | None:
    """The conclusion that counts; the item must come from `selectors.items`."""
    return next(iter(item.conclusions.all()), None)


def word(conclusion: Conclusion | None) -> str:
    """The conclusion in words."""
    if conclusion is None:
        return "open"
    return "exception" if conclusion.exception else "no exception"


def _row(sample: Sample, item: SampledDecision) -> list[str]:
    row, said = item.decision, newest(item)
    version = row.review.version
    return [
        str(sample.number),
        str(item.position),
        item.ticket,
        row.review.key,
        version.model.name,
        str(version.number),
        row.signer_name,
        row.meaning,
        row.created_at.isoformat(),
        row.statement_digest,
        word(said),
        said.text if said else "",
        str(said.author) if said else "",
        said.at.isoformat() if said else "",
        " ".join(each.finding.key for each in item.findings.all()),
    ]


def _item(item: SampledDecision) -> dict[str, Any]:
    row, version = item.decision, item.decision.review.version
    return {
        "position": item.position,
        "ticket": item.ticket,
        "review": row.review_id,
        "model": version.model.name,
        "version": version.number,
        "signer": row.signer_name,
        "role": row.role,
        "meaning": row.meaning,
        "signed_at": row.created_at.isoformat(),
        "statement_digest": row.statement_digest,
        "conclusions": [
            {
                "number": each.number,
                "exception": each.exception,
                "note": each.text,
                "by": str(each.author),
                "at": each.at.isoformat(),
                "digest": each.digest,
            }
            for each in reversed(item.conclusions.all())
        ],
        "findings": [each.finding.key for each in item.findings.all()],
    }


def _note(row: Note) -> dict[str, Any]:
    return {
        "number": row.number,
        "about": row.about,
        "control": row.control,
        "version": f"{row.version.model.name} v{row.version.number}" if row.version else "",
        "decision": row.item.position if row.item else None,
        "sample": row.item.sample.number if row.item else None,
        "text": row.text,
        "by": str(row.author),
        "at": row.at.isoformat(),
        "digest": row.digest,
    }
