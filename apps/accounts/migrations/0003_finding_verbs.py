"""Who raises and closes findings, and who comments. The literal here is history; the rows are the truth."""

from django.db import migrations

SIGNS = ["finding.raise", "finding.close", "review.comment"]
VERBS = {
    "contributor": ["review.comment"],
    "owner": ["review.comment"],
    "validator": SIGNS,
    "approver": SIGNS,
}


def seed(apps, schema_editor):
    RoleVerb = apps.get_model("accounts", "RoleVerb")
    rows = [RoleVerb(role_id=role, verb=verb) for role, verbs in VERBS.items() for verb in verbs]
    RoleVerb.objects.bulk_create(rows, ignore_conflicts=True)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_roles")]
    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
