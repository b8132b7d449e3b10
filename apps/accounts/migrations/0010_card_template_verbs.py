"""Whoever judges models says what their cards must answer. The literal here is history; the rows are the truth."""

from django.db import migrations

VERBS = {
    "validator": ["card.template", "card.define"],
    "risk": ["card.template", "card.define"],
    "legal": ["card.template"],
}


def seed(apps, schema_editor):
    RoleVerb = apps.get_model("accounts", "RoleVerb")
    rows = [RoleVerb(role_id=role, verb=verb) for role, verbs in VERBS.items() for verb in verbs]
    RoleVerb.objects.bulk_create(rows, ignore_conflicts=True)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0009_impact_verbs")]
    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
