"""Seed the seven roles and which verbs each holds. The literal here is history; the rows are the truth."""

from django.db import migrations

VIEWER = ["experiment.read", "model.read", "review.read"]
CONTRIBUTOR = [
    *VIEWER,
    "experiment.create",
    "experiment.write",
    "model.create",
    "model.register",
    "model.edit",
    "check.run",
    "card.edit",
    "review.submit",
    "review.withdraw",
]
ROLES = [
    ("viewer", "Viewer", "Sees experiments, models and reviews.", VIEWER),
    ("contributor", "Contributor", "Logs experiments, registers models and submits versions for review.", CONTRIBUTOR),
    (
        "owner",
        "Owner",
        "Contributes, manages who may use the thing, and takes a version out of production.",
        [*CONTRIBUTOR, "experiment.manage", "model.manage", "model.delete", "target.leave"],
    ),
    (
        "validator",
        "Validator",
        "Validates versions somebody else made and signs for it.",
        [*VIEWER, "review.sign.validator", "check.run", "check.recall"],
    ),
    ("approver", "Approver", "Approves versions and signs for it.", [*VIEWER, "review.sign.approver"]),
    ("auditor", "Auditor", "Reads and exports the audit trail.", [*VIEWER, "audit.read", "audit.export"]),
    (
        "administrator",
        "Administrator",
        "Manages people and roles, never signs.",
        [*VIEWER, "people.manage", "system.read", "audit.read", "model.sandbox"],
    ),
]


def seed(apps, schema_editor):
    Role = apps.get_model("accounts", "Role")
    RoleVerb = apps.get_model("accounts", "RoleVerb")
    for position, (key, label, description, verbs) in enumerate(ROLES):
        role, _ = Role.objects.get_or_create(
            key=key, defaults={"label": label, "description": description, "position": position}
        )
        RoleVerb.objects.bulk_create(
            [RoleVerb(role=role, verb=verb) for verb in verbs], ignore_conflicts=True
        )


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
