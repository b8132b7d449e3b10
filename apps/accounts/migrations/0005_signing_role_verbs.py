"""Roles that sign for risk, legal and product, and the one on call. The literal here is history; the rows are the truth."""

from django.db import migrations

READS = ["experiment.read", "model.read", "review.read"]
SIGNS = [*READS, "finding.raise", "finding.close", "review.comment", "policy.sign"]
ROLES = [
    ("risk", "Risk", "Judges the risk of versions and signs for it."),
    ("legal", "Legal", "Judges law and privacy and signs for it."),
    ("product", "Product", "Answers for the product and signs for it."),
    ("on_call", "On call", "Takes a version out of production, or puts the last good one back, in an emergency."),
]
VERBS = {
    "risk": [*SIGNS, "review.sign.risk"],
    "legal": [*SIGNS, "review.sign.legal"],
    "product": [*SIGNS, "review.sign.product"],
    "on_call": [*READS, "review.comment", "target.leave", "target.rollback"],
}
# After the approver, before the auditor; the auditor and the administrator move to the end.
POSITIONS = {"risk": 5, "legal": 6, "product": 7, "on_call": 8, "auditor": 9, "administrator": 10}


def seed(apps, schema_editor):
    Role, RoleVerb = apps.get_model("accounts", "Role"), apps.get_model("accounts", "RoleVerb")
    for key, label, description in ROLES:
        Role.objects.get_or_create(
            key=key, defaults={"label": label, "description": description, "position": POSITIONS[key]}
        )
    for key, position in POSITIONS.items():
        Role.objects.filter(key=key).update(position=position)
    rows = [RoleVerb(role_id=role, verb=verb) for role, verbs in VERBS.items() for verb in verbs]
    RoleVerb.objects.bulk_create(rows, ignore_conflicts=True)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_policy_verbs")]
    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
