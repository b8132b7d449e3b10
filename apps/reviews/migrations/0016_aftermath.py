"""What questions approvals, and emergency rollbacks; their triggers."""

from pathlib import Path

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from apps.core.migration_ops import append_only

SQL = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):

    dependencies = [
        ('registry', '0005_signing_roles'),
        ('reviews', '0013_reminders'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Rollback',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('target_kind', models.CharField(max_length=16)),
                ('target_name', models.CharField(max_length=255)),
                ('review_by', models.DateTimeField()),
                ('reason', models.TextField()),
                ('statement', models.BinaryField()),
                ('statement_digest', models.CharField(max_length=64)),
                ('signer_name', models.CharField(max_length=255)),
                ('method', models.CharField(max_length=32)),
                ('reauthenticated_at', models.DateTimeField()),
                ('created_at', models.DateTimeField()),
                ('authorization', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='rollback', to='registry.authorization')),
                ('earlier', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='registry.authorization')),
                ('policy_version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='reviews.policyversion')),
                ('replaced', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='registry.modelversion')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='rollbacks', to='registry.modelversion')),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='RollbackReview',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('role', models.CharField(max_length=32)),
                ('accepts', models.BooleanField()),
                ('comment', models.TextField()),
                ('statement', models.BinaryField()),
                ('statement_digest', models.CharField(max_length=64)),
                ('signer_name', models.CharField(max_length=255)),
                ('method', models.CharField(max_length=32)),
                ('reauthenticated_at', models.DateTimeField()),
                ('created_at', models.DateTimeField()),
                ('rollback', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='review', to='reviews.rollback')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='Rereview',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('trigger', models.CharField(choices=[('recall', 'A result was recalled'), ('finding', 'A blocking finding is open'), ('checks', 'A check does not hold any more'), ('data', 'The evaluation data changed'), ('use', 'The use of the model changed'), ('incident', 'An incident'), ('vendor', 'A change by a vendor'), ('expiry', 'The approval expired'), ('rollback', 'An emergency rollback was not confirmed')], max_length=10)),
                ('item', models.CharField(max_length=200)),
                ('reason', models.TextField()),
                ('created_at', models.DateTimeField()),
                ('declared_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('review', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='rereviews', to='reviews.review')),
            ],
            options={
                'default_permissions': (),
                'constraints': [models.UniqueConstraint(fields=('review', 'trigger', 'item'), name='reviews_rereview_once'), models.CheckConstraint(condition=models.Q(('trigger__in', ['recall', 'finding', 'checks', 'data', 'use', 'incident', 'vendor', 'expiry', 'rollback'])), name='reviews_rereview_trigger_known')],
            },
        ),
        append_only("reviews_rereview"),
        append_only("reviews_rollback"),
        append_only("reviews_rollbackreview"),
        migrations.RunSQL(SQL, migrations.RunSQL.noop),
    ]
