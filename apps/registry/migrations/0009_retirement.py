"""Models are retired and brought back; the rules stand in 0009_retirement.sql."""

from pathlib import Path

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from apps.core.migration_ops import append_only

SQL = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):

    dependencies = [
        ('registry', '0008_deployments'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='registeredmodel',
            name='retired_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='registeredmodel',
            name='successor',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='predecessors', to='registry.registeredmodel'),
        ),
        migrations.CreateModel(
            name='ModelRetirement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('retired', 'Retired'), ('restored', 'Brought back')], max_length=10)),
                ('reason', models.TextField()),
                ('checklist_version', models.PositiveSmallIntegerField(blank=True, null=True)),
                ('answers', models.JSONField(default=dict)),
                ('no_successor', models.TextField(blank=True, default='')),
                ('method', models.CharField(max_length=40)),
                ('at', models.DateTimeField()),
                ('model', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='retirements', to='registry.registeredmodel')),
                ('successor', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='registry.registeredmodel')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'default_permissions': (),
                'constraints': [models.CheckConstraint(condition=models.Q(('kind__in', ['retired', 'restored'])), name='registry_retirement_kind_known')],
            },
        ),
        append_only("registry_modelretirement"),
        migrations.RunSQL(SQL, migrations.RunSQL.noop),
    ]
