"""Gathers what programs read of a version: see `modelcards.machine`. A constant number of queries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apps.accounts.selectors import names
from apps.checks import kinds
from apps.checks import selectors as checks
from apps.checks.models import EvaluationDataset, Measurement
from apps.experiments import selectors as experiments
from apps.modelcards import collect, energy
from apps.modelcards.computed import numbers, packages
from apps.modelcards.machine import About, DataSet, File, Machine, Measured
from apps.registry import selectors as registry
from apps.registry.models import ModelTag, ModelVersion, VersionTag

_MOST_TAGS = 40


def machine(version: ModelVersion, measurements: Mapping[str, Measurement]) -> Machine:
    """Of this version, with the numbers of the given measurements by kind."""
    facts = experiments.run_facts(version.run) if version.run else None
    files = collect.package_files(version)
    found = packages.read(files)
    used, refused = energy.of_run(version.run, facts)
    model = version.model
    return Machine(
        uuid=str(version.uuid),
        url=registry.version_url(version),
        description=version.description or model.description,
        owner=names([model.owner_id])[model.owner_id],
        risk_tier=model.risk_tier,
        manifest_digest=version.manifest_digest,
        run=version.run_uuid,
        files=tuple(
            File(str(each["path"]), int(each["size"]), str(each["digest"]))
            for each in version.manifest
        ),
        datasets=(*_attached(version), *_logged(facts)),
        measured=tuple(_measured(row) for _, row in sorted(measurements.items())),
        packages=found.packages,
        packages_unread=found.unread,
        about=_about(version, facts, packages.library(files)),
        energy=used,
        energy_refused=refused,
    )


def _attached(version: ModelVersion) -> list[DataSet]:
    return [_data_set(row) for _, row in sorted(checks.datasets_in_force(version).items())]


def _data_set(row: EvaluationDataset) -> DataSet:
    sensitive = row.mapping.get("sensitive") or ()
    return DataSet(
        name=row.name,
        use=str(row.role),
        digest=row.digest,
        digest_is="sha256",
        format=str(row.format),
        rows=row.rows,
        sensitive=tuple(map(str, sensitive)) if not isinstance(sensitive, str) else (sensitive,),
    )


def _logged(facts: Mapping[str, Any] | None) -> list[DataSet]:
    return [
        DataSet(
            name=str(each["name"]),
            use=str((each.get("tags") or {}).get("mlflow.data.context") or "training"),
            digest=str(each["digest"]),
            digest_is="as logged by the run's client",
            source=str(each.get("source_type") or ""),
        )
        for each in (facts or {}).get("datasets") or ()
    ]


def _measured(row: Measurement) -> Measured:
    result = checks.result_of(row)
    return Measured(
        kind=row.kind,
        title=kinds.title(row.kind),
        measurement=str(row.uuid),
        digest=row.result_digest,
        at=row.finished_at.isoformat() if row.finished_at else "",
        confidence=numbers.confidence(result),
        numbers=numbers.numbers(result),
        data=tuple(str(each["digest"]) for each in row.inputs if each.get("part") != "files"),
    )


def _about(version: ModelVersion, facts: Mapping[str, Any] | None, library: str) -> About:
    """Tags of the version before those of its model before those of its run."""
    said: dict[str, str] = dict((facts or {}).get("tags") or {})
    said |= dict(ModelTag.objects.filter(model=version.model_id).values_list("key", "value"))
    own = dict(VersionTag.objects.filter(version=version).values_list("key", "value"))
    said |= own
    return About(
        license=said.get("license", "") or said.get("licence", ""),
        languages=_several(said.get("language", "")),
        base_models=_several(said.get("base_model", "")),
        pipeline_tag=said.get("pipeline_tag", ""),
        library_name=said.get("library_name", "") or library,
        tags=tuple(sorted(f"{key}:{value}" if value else key for key, value in own.items()))[
            :_MOST_TAGS
        ],
    )


def _several(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())
