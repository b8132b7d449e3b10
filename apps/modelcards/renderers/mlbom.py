"""The card as a CycloneDX 1.6 ML-BOM: the model with its card, its files, its data sets and its packages. Pure.

Serial number and timestamp come from the facts, so the same dossier gives the same bytes. Hashes are those of the record.
Numbers of the card stay the decimal strings of the record; only energy is a JSON number, because the format asks for one.
What nobody recorded is left out: no learning approach, no architecture is guessed.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final
from urllib.parse import quote

from apps.modelcards.card import CardBlock
from apps.modelcards.dossier import Dossier, card_digest
from apps.modelcards.machine import DataSet, Energy, File, Machine, Measured, Number, Package

SPEC: Final = "1.6"
SCHEMA: Final = "http://cyclonedx.org/schema/bom-1.6.schema.json"
MEDIA_TYPE: Final = "application/vnd.cyclonedx+json"
_TASKS: Final = {"performance": "classification", "multiclass": "classification", "regression": "regression"}  # fmt: skip
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_PROSE: Final = {
    "technicalLimitations": ("limitations",),
    "performanceTradeoffs": ("metric_choice",),
}
Thing = dict[str, Any]


def render(dossier: Dossier) -> bytes:
    """The BOM in JSON, keys in order."""
    text = json.dumps(document(dossier), sort_keys=True, indent=1, ensure_ascii=False)
    return text.encode() + b"\n"


def document(dossier: Dossier) -> Thing:
    """The BOM as data."""
    digest = card_digest(dossier)
    machine = dossier.machine
    refs = _components(machine)
    return {
        "$schema": SCHEMA,
        "bomFormat": "CycloneDX",
        "specVersion": SPEC,
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'countersign:card:{digest}')}",
        "version": 1,
        "metadata": {
            "timestamp": dossier.as_of,
            "tools": {"components": [{"type": "application", "name": dossier.site}]},
            "component": _model(dossier, machine),
            "properties": _properties(dossier, digest),
        },
        "components": [thing for _, thing in refs],
        "dependencies": [
            {"ref": "model", "dependsOn": [ref for ref, _ in refs]},
            *({"ref": ref} for ref, _ in refs),
        ],
    }


def _properties(dossier: Dossier, digest: str) -> list[Thing]:
    machine = dossier.machine
    found = [
        ("card:sha256", digest),
        ("card:revision", str(dossier.card.revision)),
        ("card:revision-sha256", dossier.card.digest),
        ("evidence:sha256", dossier.evidence_digest),
        ("status", dossier.status.word),
        ("status:sentence", dossier.status.sentence),
        ("gaps", ", ".join(gap.title for gap in dossier.card.gaps)),
    ]
    if machine is not None:
        found += [
            ("version:uuid", machine.uuid),
            ("version:manifest-sha256", machine.manifest_digest),
            ("risk-tier", str(machine.risk_tier)),
            ("run", machine.run),
            ("packages:unread", ", ".join(machine.packages_unread)),
            ("energy:refused", machine.energy_refused),
        ]
    return [{"name": f"countersign:{key}", "value": value} for key, value in found if value]


def _model(dossier: Dossier, machine: Machine | None) -> Thing:
    card = dossier.card
    found: Thing = {
        "type": "machine-learning-model",
        "bom-ref": "model",
        "name": card.model,
        "version": str(card.version),
        "modelCard": _model_card(dossier, machine),
    }
    if machine is None:
        return found
    found["hashes"] = [_sha256(machine.manifest_digest)]
    found["authors"] = [{"name": machine.owner}]
    found["externalReferences"] = [{"type": "model-card", "url": machine.url}]
    if machine.description:
        found["description"] = machine.description
    if machine.about.license:
        found["licenses"] = [{"license": {"name": machine.about.license}}]
    return found


def _sha256(digest: str) -> Thing:
    return {"alg": "SHA-256", "content": digest}


def _model_card(dossier: Dossier, machine: Machine | None) -> Thing:
    card: Thing = {"bom-ref": "model-card", "considerations": _considerations(dossier, machine)}
    if machine is None:
        return card
    parameters: Thing = {}
    task = next((_TASKS[each.kind] for each in machine.measured if each.kind in _TASKS), "")
    if task:
        parameters["task"] = task
    if machine.datasets:
        parameters["datasets"] = [{"ref": ref} for ref, _ in _data_refs(machine)]
    if parameters:
        card["modelParameters"] = parameters
    metrics = [_metric(each, number) for each in machine.measured for number in each.numbers]
    if metrics:
        card["quantitativeAnalysis"] = {"performanceMetrics": metrics}
    return card


def _metric(measured: Measured, number: Number) -> Thing:
    found: Thing = {"type": f"{measured.kind}:{number.key}", "value": number.value}
    if number.of:
        found["slice"] = number.of
    if number.low or number.high:
        found["confidenceInterval"] = {"lowerBound": number.low, "upperBound": number.high}
    return found


def _considerations(dossier: Dossier, machine: Machine | None) -> Thing:
    texts = {block.key: block for block in dossier.card.blocks}
    found: Thing = {
        key: [text] for key, blocks in _PROSE.items() if (text := _text(texts, *blocks))
    }
    uses = _text(texts, "primary_uses")
    if uses:
        found["useCases"] = [uses]
    found["ethicalConsiderations"] = list(_risks(texts))
    if machine is not None:
        found["fairnessAssessments"] = list(_assessments(machine, _text(texts, "ethics")))
        if machine.energy is not None:
            found["environmentalConsiderations"] = _environment(machine.energy, machine)
    return {key: value for key, value in found.items() if value}


def _text(texts: dict[str, CardBlock], *keys: str) -> str:
    found = (texts.get(key) for key in keys)
    return "\n\n".join(each.prose.text for each in found if each and each.prose)


def _risks(texts: dict[str, CardBlock]) -> Iterator[Thing]:
    """Prohibited uses and ethical risks; who can stop the model is what is done about both."""
    oversight = _text(texts, "oversight")
    for key in ("out_of_scope", "ethics"):
        if text := _text(texts, key):
            yield {"name": text, **({"mitigationStrategy": oversight} if oversight else {})}


def _assessments(machine: Machine, ethics: str) -> Iterator[Thing]:
    """One per group with its measured rates; what people wrote about harms stands with each grouping once."""
    for measured in machine.measured:
        if measured.kind not in {"fairness", "regression_gaps"}:
            continue
        groups: dict[str, list[Number]] = {}
        for number in measured.numbers:
            groups.setdefault(number.of, []).append(number)
        for group, numbers in groups.items():
            harms = "; ".join(_said(number) for number in numbers)
            yield {
                "groupAtRisk": group,
                "harms": f"Measured: {harms}.",
                **({"mitigationStrategy": ethics} if ethics and ": " not in group else {}),
            }


def _said(number: Number) -> str:
    interval = f" ({number.low} to {number.high})" if number.low and number.high else ""
    return f"{number.title} {number.value}{interval}"


def _environment(energy: Energy, machine: Machine) -> Thing:
    """Kilowatt-hours as CodeCarbon has them; kilograms of CO2 become the format's tonnes. Without energy there is no
    entry the format would take, so emissions alone stand as a property."""
    properties = [
        {"name": f"countersign:energy:{name}", "value": value}
        for name, value in (
            ("said-by", energy.said_by),
            ("tracker", energy.tracker),
            ("emissions-kg", energy.emissions_kg),
            ("duration-s", energy.duration_s),
            ("country", energy.country),
            ("hardware", energy.hardware),
        )
        if value
    ]
    if not energy.energy_kwh:
        return {"properties": properties}
    cost = {"value": float(energy.energy_kwh), "unit": "kWh"}
    consumption: Thing = {
        "activity": "training",
        "energyProviders": [
            {
                "bom-ref": "energy-provider",
                "organization": {"name": "not recorded"},
                "energySource": "unknown",
                "energyProvided": cost,
            }
        ],
        "activityEnergyCost": cost,
        "properties": properties,
    }
    if energy.emissions_kg:
        tonnes = float(Decimal(energy.emissions_kg) / 1000)
        consumption["co2CostEquivalent"] = {"value": tonnes, "unit": "tCO2eq"}
    return {"energyConsumptions": [consumption]}


def _components(machine: Machine | None) -> list[tuple[str, Thing]]:
    if machine is None:
        return []
    packages: dict[str, Thing] = {}
    for each in machine.packages:
        ref, thing = _package(each)
        packages.setdefault(ref, thing)
    return [
        *(_file(each) for each in machine.files),
        *_data_refs(machine),
        *packages.items(),
    ]


def _file(file: File) -> tuple[str, Thing]:
    ref = f"file:{quote(file.path)}"
    return ref, {
        "type": "file",
        "bom-ref": ref,
        "name": file.path,
        "hashes": [_sha256(file.digest)],
        "properties": [{"name": "countersign:size", "value": str(file.size)}],
    }


def _data_refs(machine: Machine) -> list[tuple[str, Thing]]:
    """Numbered, for two data sets may have one name or one digest."""
    return [_data(at, each) for at, each in enumerate(machine.datasets, start=1)]


def _data(at: int, data: DataSet) -> tuple[str, Thing]:
    ref = f"data:{at}"
    content: Thing = {"type": "dataset", "name": data.name, "description": _described(data)}
    if data.sensitive:
        content["sensitiveData"] = [f"group column {name}" for name in data.sensitive]
    found: Thing = {"type": "data", "bom-ref": ref, "name": data.name, "data": [content]}
    if data.digest_is == "sha256" and _SHA256.fullmatch(data.digest):
        found["hashes"] = [_sha256(data.digest)]
    else:
        found["properties"] = [
            {"name": "countersign:digest", "value": data.digest},
            {"name": "countersign:digest-is", "value": data.digest_is},
        ]
    return ref, found


def _described(data: DataSet) -> str:
    parts = [f"Used for {data.use}"]
    parts += [f"{data.rows} rows"] if data.rows is not None else []
    parts += [data.format] if data.format else []
    parts += [f"from {data.source}"] if data.source else []
    return ", ".join(parts) + "."


def _package(package: Package) -> tuple[str, Thing]:
    """A purl where the file pins one version; what was asked for otherwise."""
    name = package.name.lower().replace("_", "-") if package.manager == "pypi" else package.name
    at = f"@{quote(package.version, safe='')}" if package.version else ""
    purl = f"pkg:{package.manager}/{quote(name, safe='')}{at}"
    properties = [
        {"name": "countersign:asked-for", "value": package.asked or "any version"},
        {"name": "countersign:said-by", "value": package.said_by},
    ]
    found: Thing = {
        "type": "library", "bom-ref": purl, "name": package.name, "purl": purl, "properties": properties,
    }  # fmt: skip
    if package.version:
        found["version"] = package.version
    return purl, found
