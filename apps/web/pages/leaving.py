"""The form that takes a version out of a governed target."""

from __future__ import annotations

from apps.core.actor import Actor
from apps.core.errors import Conflict
from apps.registry import selectors as registry
from apps.registry.models import ModelVersion
from apps.registry.targets import Target
from apps.web import addresses
from apps.web.parts import SignBox

_AFTER = {
    "stage": "It goes to the stage Archived.",
    "alias": "The alias is removed.",
    "environment": "Nothing more of it is recorded as running there.",
}


def box(actor: Actor, version: ModelVersion, target: Target) -> SignBox:
    """What is about to be done. Refuses a target the version does not hold."""
    if target not in registry.held_governed_targets(version):
        raise Conflict(f"{version} is not in {target.label}.")
    name, number = version.model.name, version.number
    after = _AFTER[target.kind]
    return SignBox(
        title=f"Take {version} out of {target.label}",
        statement=f"{version} leaves {target.label} at once. {after} No other version takes its place; "
        "to come back it needs a new review.",
        digest=version.manifest_digest,
        as_whom=f"{actor.label}, who may take versions of {name} out",
        submit_label="Leave",
        action_url=addresses.version(name, number, "leave/"),
        cancel_url=addresses.version(name, number),
        fields={"target": str(target)},
        danger=True,
        digest_label="Files",
        stays="The reason and your name stay in the record.",
    )
