"""Who adds environments, who records deployments and who retires a model. The literal here is history; the rows are the truth."""

from django.db import migrations

VERBS = {
    "administrator": ["environment.manage"],
    "contributor": ["deployment.record"],
    "owner": ["deployment.record", "model.retire"],
    "on_call": ["deployment.record"],
}


def seed(apps, schema_editor):
    RoleVerb = apps.get_model("accounts", "RoleVerb")
    rows = [RoleVerb(role_id=role, verb=verb) for role, verbs in VERBS.items() for verb in verbs]
    RoleVerb.objects.bulk_create(rows, ignore_conflicts=True)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0006_signing_roles")]
    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
