"""Changes of policies that come into force on a day, and the triggers that hold it."""

from pathlib import Path

from django.db import migrations, models

SQL = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):

    dependencies = [
        ('reviews', '0019_environments'),
    ]

    operations = [
        migrations.AddField(
            model_name='policychange',
            name='effective_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AlterField(
            model_name='policychange',
            name='status',
            field=models.CharField(choices=[('open', 'Waiting for signatures'), ('scheduled', 'Signed, not yet in force'), ('activated', 'In force'), ('rejected', 'Rejected'), ('withdrawn', 'Withdrawn')], default='open', max_length=10),
        ),
        migrations.RemoveConstraint(model_name='policychange', name='reviews_one_open_change_per_policy'),
        migrations.RemoveConstraint(model_name='policychange', name='reviews_change_status_known'),
        migrations.AddConstraint(
            model_name='policychange',
            constraint=models.UniqueConstraint(condition=models.Q(('status__in', ['open', 'scheduled'])), fields=('key',), name='reviews_one_pending_change_per_policy'),
        ),
        migrations.AddConstraint(
            model_name='policychange',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['open', 'scheduled', 'activated', 'rejected', 'withdrawn'])), name='reviews_change_status_known'),
        ),
        migrations.RunSQL(SQL, migrations.RunSQL.noop),
    ]
