"""Environments, and what was recorded as running in them; the rules stand in 0008_deployments.sql."""

from pathlib import Path

import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models

SQL = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):

    dependencies = [
        ('registry', '0005_signing_roles'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name='authorization',
            name='target_kind',
            field=models.CharField(choices=[('stage', 'Stage'), ('alias', 'Alias'), ('environment', 'Environment'), ('tag', 'Tag'), ('scope', 'Tag that decides which policies cover a model')], max_length=16),
        ),
        migrations.AlterField(
            model_name='governedtarget',
            name='kind',
            field=models.CharField(choices=[('stage', 'Stage'), ('alias', 'Alias'), ('environment', 'Environment'), ('tag', 'Tag'), ('scope', 'Tag that decides which policies cover a model')], max_length=16),
        ),
        migrations.CreateModel(
            name='Environment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=64, unique=True)),
                ('title', models.CharField(max_length=200)),
                ('created_at', models.DateTimeField()),
                ('retired_at', models.DateTimeField(blank=True, null=True)),
                ('created_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='Deployment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('governed', models.BooleanField()),
                ('traffic', models.DecimalField(decimal_places=2, max_digits=5)),
                ('traffic_since', models.DateTimeField()),
                ('place', models.CharField(blank=True, default='', max_length=500)),
                ('started_at', models.DateTimeField()),
                ('recorded_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('end_reason', models.TextField(blank=True, default='')),
                ('authorization', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='deployments', to='registry.authorization')),
                ('ended_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('model', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='deployments', to='registry.registeredmodel')),
                ('recorded_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='deployments', to='registry.modelversion')),
                ('environment', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='deployments', to='registry.environment')),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='EnvironmentEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('environment', models.CharField(max_length=255)),
                ('entered_at', models.DateTimeField()),
                ('left_at', models.DateTimeField(blank=True, null=True)),
                ('authorization', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='environment_entry', to='registry.authorization')),
                ('model', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='registry.registeredmodel')),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='environment_entries', to='registry.modelversion')),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='DeploymentShare',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('traffic', models.DecimalField(decimal_places=2, max_digits=5)),
                ('since', models.DateTimeField()),
                ('deployment', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='shares', to='registry.deployment')),
            ],
            options={
                'default_permissions': (),
                'indexes': [models.Index(fields=['deployment', 'since'], name='registry_share_since')],
            },
        ),
        migrations.AddConstraint(
            model_name='environment',
            constraint=models.CheckConstraint(condition=models.Q(('key__regex', '^[a-z0-9][a-z0-9._-]{0,63}$')), name='registry_environment_key_folded'),
        ),
        migrations.AddIndex(
            model_name='deployment',
            index=models.Index(fields=['model', '-started_at'], name='registry_deployment_of_model'),
        ),
        migrations.AddIndex(
            model_name='deployment',
            index=models.Index(fields=['environment', '-started_at'], name='registry_deployment_in_env'),
        ),
        migrations.AddConstraint(
            model_name='deployment',
            constraint=models.UniqueConstraint(condition=models.Q(('ended_at__isnull', True)), fields=('version', 'environment', 'place'), name='registry_one_running_per_place'),
        ),
        migrations.AddConstraint(
            model_name='deployment',
            constraint=models.CheckConstraint(condition=models.Q(('traffic__gte', 0), ('traffic__lte', 100)), name='registry_deployment_share_in_range'),
        ),
        migrations.AddConstraint(
            model_name='deployment',
            constraint=models.CheckConstraint(condition=models.Q(('ended_at__isnull', True), ('ended_at__gte', models.F('traffic_since')), _connector='OR'), name='registry_deployment_in_order'),
        ),
        migrations.AddConstraint(
            model_name='deployment',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('authorization__isnull', False), ('governed', True)), models.Q(('authorization__isnull', True), ('governed', False)), _connector='OR'), name='registry_deployment_by_approval'),
        ),
        migrations.AddConstraint(
            model_name='environmententry',
            constraint=models.UniqueConstraint(condition=models.Q(('left_at__isnull', True)), fields=('version', 'environment'), name='registry_one_live_entry'),
        ),
        migrations.RunSQL(SQL, migrations.RunSQL.noop),
    ]
