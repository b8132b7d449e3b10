"""A version with a bias audit of the example that 6 RCNY 5-301(b) prints, and what the rule prints of it."""

from __future__ import annotations

import io

from apps.checks import selectors as checks
from apps.checks import services as checking
from apps.checks.models import Measurement
from apps.registry.models import ModelVersion
from tests.checks.test_bias_audit_numbers import CROSSED, rows_of
from tests.compliance.conftest import Story, work
from tests.support.people import as_actor

UNKNOWN = {(None, "White"): (60, 100), ("Male", None): (70, 120), (None, None): (10, 30)}
# 6 RCNY 5-301(b), intersectional: applicants, selected, selection rate and impact ratio as they are printed there.
PRINTED = {
    ("Male", "Hispanic or Latino"): ("205", "90", "43.9", "0.841"),
    ("Female", "Hispanic or Latino"): ("190", "82", "43.2", "0.827"),
    ("Male", "White"): ("412", "215", "52.2", "1.000"),
    ("Male", "Black or African American"): ("226", "95", "42.0", "0.806"),
    ("Male", "Native Hawaiian or Pacific Islander"): ("87", "37", "42.5", "0.815"),
    ("Male", "Asian"): ("321", "167", "52.0", "0.997"),
    ("Male", "Native American or Alaska Native"): ("24", "11", "45.8", "0.878"),
    ("Male", "Two or More Races"): ("115", "52", "45.2", "0.866"),
    ("Female", "White"): ("385", "197", "51.2", "0.981"),
    ("Female", "Black or African American"): ("164", "75", "45.7", "0.876"),
    ("Female", "Native Hawaiian or Pacific Islander"): ("32", "15", "46.9", "0.898"),
    ("Female", "Asian"): ("295", "135", "45.8", "0.877"),
    ("Female", "Native American or Alaska Native"): ("17", "7", "41.2", "0.789"),
    ("Female", "Two or More Races"): ("98", "44", "44.9", "0.860"),
}
STATED = {
    "tool": "Sorts applications for warehouse jobs",
    "distribution_date": "2026-01-05",
    "auditor": "Audit House, LLC",
    "independence": "We took no part in making or using the tool and hold no interest in either.",
    "data_kind": "historical",
    "data_source": "All who applied from January to June 2026; categories as they stated them.",
}


def audited(
    story: Story,
    counts: dict[tuple[str | None, ...], tuple[int, int]] | None = None,
    names: tuple[str, ...] = ("sex", "race"),
    **params: object,
) -> Measurement:
    """Attach one row a person and measure; with the rule's example where no counts are given."""
    known = counts or {**{key: value[:2] for key, value in CROSSED.items()}, **UNKNOWN}
    frame = rows_of(known, list(names))
    checking.attach_dataset(
        as_actor(story.ana),
        story.version,
        role="evaluation",
        name="applicants",
        stream=io.BytesIO(frame.to_csv(index=False).encode()),
        mapping={"target": "y", "prediction": "p", "sensitive": list(names), "task": "binary"},
        favourable=1,
    )
    return measured(story, **({"exclude_below": "0"} | params))


def measured(story: Story, **params: object) -> Measurement:
    version = ModelVersion.objects.get(pk=story.version.pk)
    checking.request_measurement(as_actor(story.ana), version, "bias_audit", params)
    work("checks", checking.run_measurement)
    row = checks.latest(version, "bias_audit")
    assert row is not None, [m.error for m in version.measurements.all()]
    return row
