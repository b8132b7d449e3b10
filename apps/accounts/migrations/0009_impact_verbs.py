"""Who answers impact assessments, and who signs them. The literal here is history; the rows are the truth."""

from django.db import migrations

EDIT, SIGN = "impact.edit", "impact.sign"
VERBS = {
    "contributor": [EDIT],
    "owner": [EDIT],
    "validator": [EDIT],
    "product": [EDIT],
    "approver": [EDIT, SIGN],
    "risk": [EDIT, SIGN],
    "legal": [EDIT, SIGN],
}


def seed(apps, schema_editor):
    RoleVerb = apps.get_model("accounts", "RoleVerb")
    rows = [RoleVerb(role_id=role, verb=verb) for role, verbs in VERBS.items() for verb in verbs]
    RoleVerb.objects.bulk_create(rows, ignore_conflicts=True)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0008_recheck_verbs")]
    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
