"""Roles that are lent until a moment; an auditor raises findings. The literal here is history; the rows are the truth."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

VERBS = {"auditor": ["finding.raise"]}


def seed(apps, schema_editor):
    RoleVerb = apps.get_model("accounts", "RoleVerb")
    rows = [RoleVerb(role_id=role, verb=verb) for role, verbs in VERBS.items() for verb in verbs]
    RoleVerb.objects.bulk_create(rows, ignore_conflicts=True)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0010_card_template_verbs")]
    operations = [
        migrations.CreateModel(
            name="LentRole",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("model_id", models.BigIntegerField()),
                ("grounds", models.CharField(max_length=100)),
                ("since", models.DateTimeField()),
                ("until", models.DateTimeField()),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "role",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.role"),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lent_roles",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "indexes": [
                    models.Index(
                        condition=models.Q(("ended_at__isnull", True)),
                        fields=["user", "model_id"],
                        name="accounts_lentrole_held",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("user", "role", "model_id", "grounds"), name="lentrole_once"),
                    models.CheckConstraint(condition=models.Q(("until__gt", models.F("since"))), name="lentrole_lasts"),
                ],
            },
        ),
        migrations.RunPython(seed, migrations.RunPython.noop),
    ]
