"""Kinds of checks, and measurements: what was asked, what came out, how it stands against the policy's limits."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.api.v1.shapes import addresses
from apps.api.v1.shapes.common import Json, Person, PolicyRef, person, policy_ref
from apps.checks import describing, kinds
from apps.checks.kinds.base import Kind
from apps.checks.library.judging import Assessment
from apps.checks.models import Measurement, MeasurementStatus
from apps.checks.verdicts import Verdict
from apps.registry.models import ModelVersion
from apps.reviews.reads.measurements import Judged


class KindInput(serializers.Serializer[Any]):
    """A data set that a kind takes."""

    part = serializers.CharField(help_text="What it is to the check.")
    roles = serializers.ListField(
        child=serializers.CharField(), help_text="Of the data that may play it, the best first."
    )
    optional = serializers.BooleanField()


class Measure(serializers.Serializer[Any]):
    """A number that a policy may limit."""

    key = serializers.CharField()
    title = serializers.CharField()
    better = serializers.ChoiceField(choices=["higher", "lower"])
    meaning = serializers.CharField()


class CheckKindShape(serializers.Serializer[Any]):
    """A kind of check."""

    key = serializers.CharField()
    title = serializers.CharField()
    of_files = serializers.BooleanField(help_text="It looks at the version's files, not at data.")
    inputs = KindInput(many=True)
    params = serializers.DictField(
        help_text="JSON Schema of `params`: what whoever asks for a measurement may choose."
    )
    limits = serializers.DictField(
        help_text="JSON Schema of what a policy may demand of it, under `gates.checks`."
    )
    measures = Measure(many=True)


class CheckKinds(serializers.Serializer[Any]):
    """Every kind that this site knows, its own and those that packages bring."""

    items = CheckKindShape(many=True)


class Progress(serializers.Serializer[Any]):
    """How far a running one is."""

    done = serializers.IntegerField()
    of = serializers.IntegerField()
    what = serializers.CharField(help_text="What the steps are.")


class MeasuredInput(serializers.Serializer[Any]):
    """What was measured, by digest. Of data: `meaning` and `rows`; of the version's files: `files` and `bytes`."""

    part = serializers.CharField()
    role = serializers.CharField()
    digest = serializers.CharField(help_text="SHA-256 of the bytes, or of the manifest.")
    meaning = serializers.CharField(
        required=False, help_text="Digest of what was declared of the columns."
    )
    rows = serializers.IntegerField(required=False)
    files = serializers.IntegerField(required=False)
    bytes = serializers.IntegerField(required=False)


class MeasurementSummary(serializers.Serializer[Any]):
    """A measurement, without its numbers."""

    uuid = serializers.UUIDField()
    kind = serializers.CharField()
    title = serializers.CharField(help_text="As people call the kind.")
    model = serializers.CharField()
    version = serializers.IntegerField()
    status = serializers.ChoiceField(choices=MeasurementStatus.choices)
    error = serializers.CharField(help_text="Why there is no result; empty unless it ended so.")
    recall_reason = serializers.CharField(help_text="Why it counts no more; empty if it does.")
    key = serializers.CharField(
        help_text="The digest of all that goes in: kind, params, inputs, code, libraries."
    )
    params = serializers.DictField()
    inputs = MeasuredInput(many=True)
    result_digest = serializers.CharField(help_text="Of key, statistics and result; or empty.")
    asked_by = Person()
    queued_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    progress = Progress(allow_null=True, help_text="Null where nobody knows.")
    url = serializers.CharField(help_text="Its page.")


class AskedMeasurement(MeasurementSummary):
    """The measurement that answers the question."""

    stored = serializers.BooleanField(
        help_text="The same question had been asked: this is the measurement of then, and nothing new was asked for."
    )


class Provenance(serializers.Serializer[Any]):
    """Of what, by whom, when."""

    model = serializers.CharField()
    version = serializers.IntegerField()
    manifest_digest = serializers.CharField(help_text="Of the version's files.")
    asked_by = Person()
    queued_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    timings = serializers.DictField(child=serializers.IntegerField())
    error = serializers.CharField()
    recalled_by = Person(allow_null=True)
    recalled_at = serializers.DateTimeField(allow_null=True)
    recall_reason = serializers.CharField()


class MeasurementFile(serializers.Serializer[Any]):
    """A measurement as a file of canonical JSON."""

    measurement = serializers.UUIDField()
    kind = serializers.CharField()
    status = serializers.ChoiceField(choices=MeasurementStatus.choices)
    key = serializers.CharField()
    params = serializers.DictField()
    inputs = MeasuredInput(many=True)
    statistics = serializers.DictField(allow_null=True)
    result = serializers.DictField(allow_null=True)
    result_digest = serializers.CharField(help_text="SHA-256 of key, result and statistics.")
    code_version = serializers.CharField()
    libraries = serializers.DictField(child=serializers.CharField())
    provenance = Provenance()


class LimitRow(serializers.Serializer[Any]):
    """One limit against one number. Numbers are decimal strings."""

    key = serializers.CharField()
    title = serializers.CharField()
    of = serializers.CharField(help_text="The group, feature or column; empty for the whole.")
    verdict = serializers.ChoiceField(choices=[each.value for each in Verdict])
    sentence = serializers.CharField()
    value = serializers.CharField(allow_null=True)
    low = serializers.CharField(allow_null=True)
    high = serializers.CharField(allow_null=True)
    limit = serializers.CharField()
    n = serializers.IntegerField(allow_null=True)
    method = serializers.CharField()


class AssessmentShape(serializers.Serializer[Any]):
    """The result against the limits of the policies in force now. A changed limit changes it, and not the result."""

    policy = PolicyRef()
    demanded = serializers.BooleanField(
        help_text="A policy asks for this kind. Where none does, this decides nothing."
    )
    verdict = serializers.ChoiceField(choices=[each.value for each in Verdict])
    sentence = serializers.CharField()
    rows = LimitRow(many=True)


class MeasurementShape(MeasurementSummary):
    """A measurement with its counts, its numbers and how it stands."""

    recalled_by = Person(allow_null=True)
    recalled_at = serializers.DateTimeField(allow_null=True)
    code_version = serializers.CharField(help_text="Of the code that can change a number.")
    libraries = serializers.DictField(child=serializers.CharField())
    timings = serializers.DictField(
        child=serializers.IntegerField(), help_text="In milliseconds; empty until it is done."
    )
    statistics = serializers.DictField(
        allow_null=True, help_text="The count tables that the result is computed from."
    )
    result = serializers.DictField(allow_null=True, help_text="Numbers as decimal strings.")
    assessment = AssessmentShape(
        allow_null=True, help_text="Null without a result, or where no policy asks for the kind."
    )


def check_kind(kind: Kind) -> Json:
    return {
        "key": kind.key,
        "title": kind.title,
        "of_files": kind.of_files,
        "inputs": [
            {
                "part": each.part,
                "roles": [str(role.value) for role in each.roles],
                "optional": each.optional,
            }
            for each in kind.inputs
        ],
        "params": describing.params_schema(kind),
        "limits": describing.limits_schema(kind),
        "measures": [
            {"key": h.key, "title": h.title, "better": h.better, "meaning": h.meaning}
            for h in kind.hints
        ],
    }


def summary(version: ModelVersion, row: Measurement) -> Json:
    return {
        "uuid": row.uuid,
        "kind": row.kind,
        "title": kinds.title(row.kind),
        "model": version.model.name,
        "version": version.number,
        "status": row.status,
        "error": row.error,
        "recall_reason": row.recall_reason,
        "key": row.key,
        "params": row.params,
        "inputs": row.inputs,
        "result_digest": row.result_digest,
        "asked_by": person(row.started_by),
        "queued_at": row.queued_at,
        "started_at": row.started_at,
        "finished_at": row.finished_at,
        "progress": row.progress if row.progress.get("of") else None,
        "url": f"{addresses.version(version)}checks/{row.uuid}/",
    }


def detail(version: ModelVersion, row: Measurement, judged: Judged | None) -> Json:
    return {
        **summary(version, row),
        "recalled_by": person(row.recalled_by) if row.recalled_by else None,
        "recalled_at": row.recalled_at,
        "code_version": row.code_version,
        "libraries": row.libraries,
        "timings": row.timings,
        "statistics": row.statistics,
        "result": row.result,
        "assessment": _assessment(judged) if judged else None,
    }


def _assessment(judged: Judged) -> Json:
    assessment: Assessment = judged.assessment
    return {
        "policy": policy_ref(judged.policy),
        "demanded": judged.demanded,
        "verdict": assessment.verdict.value,
        "sentence": assessment.sentence,
        "rows": [
            {field: getattr(row, field) for field in row.__struct_fields__}
            for row in assessment.rows
        ],
    }
