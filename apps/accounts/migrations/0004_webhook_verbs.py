"""Who sets up webhooks. The literal here is history; the rows are the truth."""

from django.db import migrations

VERBS = {"administrator": ["system.manage"]}


def seed(apps, schema_editor):
    RoleVerb = apps.get_model("accounts", "RoleVerb")
    rows = [RoleVerb(role_id=role, verb=verb) for role, verbs in VERBS.items() for verb in verbs]
    RoleVerb.objects.bulk_create(rows, ignore_conflicts=True)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_finding_verbs")]
    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
