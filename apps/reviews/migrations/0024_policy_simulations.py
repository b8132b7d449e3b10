"""Simulations of proposed policies; their triggers."""

from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models

from apps.core.migration_ops import append_only

SQL = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):

    dependencies = [
        ('reviews', '0023_drafts'),
    ]

    operations = [
        migrations.CreateModel(
            name='PolicySimulation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('basis', models.CharField(max_length=64)),
                ('result', models.BinaryField()),
                ('digest', models.CharField(max_length=64)),
                ('created_at', models.DateTimeField()),
                ('change', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='simulations', to='reviews.policychange')),
            ],
            options={
                'default_permissions': (),
                'indexes': [models.Index(fields=['change', '-id'], name='reviews_simulation_newest')],
            },
        ),
        append_only("reviews_policysimulation"),
        migrations.RunSQL(SQL, migrations.RunSQL.noop),
    ]
