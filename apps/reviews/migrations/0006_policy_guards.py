"""The policy the product comes with is in force; from here on only a signed change puts another there."""

from pathlib import Path

from django.db import migrations
from django.utils import timezone

from apps.core.migration_ops import append_only

SQL = Path(__file__).with_name("0006_policy_guards.sql").read_text(encoding="utf-8")


def activate(apps, schema_editor):
    version = apps.get_model("reviews", "PolicyVersion").objects.get(key="standard", number=1)
    apps.get_model("reviews", "PolicyActivation").objects.create(
        key=version.key, version=version, change=None, activated_at=timezone.now()
    )
    # Foreign keys are checked now: a table with checks to come cannot be altered.
    schema_editor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")


class Migration(migrations.Migration):
    dependencies = [("reviews", "0005_policy_changes"), ("registry", "0004_scope_tags")]

    operations = [
        migrations.RunPython(activate, migrations.RunPython.noop),
        append_only("reviews_policysignature"),
        append_only("reviews_policyactivation"),
        migrations.RunSQL(SQL, migrations.RunSQL.noop),
    ]
