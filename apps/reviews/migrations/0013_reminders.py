"""Reminders of deadlines, each made once; their triggers."""

from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models

from apps.core.migration_ops import append_only

SQL = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):

    dependencies = [
        ('reviews', '0013_expiry'),
    ]

    operations = [
        migrations.CreateModel(
            name='Reminder',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('step', models.CharField(max_length=64)),
                ('kind', models.CharField(choices=[('due', 'Due soon'), ('overdue', 'Overdue')], max_length=7)),
                ('due_at', models.DateTimeField()),
                ('created_at', models.DateTimeField()),
                ('round', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reminders', to='reviews.round')),
            ],
            options={
                'default_permissions': (),
                'constraints': [models.UniqueConstraint(fields=('round', 'step', 'kind'), name='reviews_reminded_once'), models.CheckConstraint(condition=models.Q(('kind__in', ['due', 'overdue'])), name='reviews_reminder_kind_known')],
            },
        ),
        append_only("reviews_reminder"),
        migrations.RunSQL(SQL, migrations.RunSQL.noop),
    ]
