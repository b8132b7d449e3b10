"""Whoever judges evidence or audits it has it executed again. The literal here is history; the rows are the truth."""

from django.db import migrations

VERBS = {
    role: ["check.recheck"]
    for role in ("validator", "approver", "risk", "legal", "product", "auditor")
}


def seed(apps, schema_editor):
    RoleVerb = apps.get_model("accounts", "RoleVerb")
    rows = [RoleVerb(role_id=role, verb=verb) for role, verbs in VERBS.items() for verb in verbs]
    RoleVerb.objects.bulk_create(rows, ignore_conflicts=True)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0007_deployment_verbs")]
    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
