from pathlib import Path

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('checks', '0004_kinds_by_key'),
        ('registry', '0009_retirement'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunSQL(
            (Path(__file__).parent / "0005_cancelling.sql").read_text(encoding="utf-8"),
            migrations.RunSQL.noop,
        ),
        migrations.RemoveConstraint(
            model_name='measurement',
            name='checks_measurement_status_known',
        ),
        migrations.AddField(
            model_name='measurement',
            name='progress',
            field=models.JSONField(default=dict, editable=False),
        ),
        migrations.AlterField(
            model_name='measurement',
            name='status',
            field=models.CharField(choices=[('queued', 'Queued'), ('running', 'Running'), ('done', 'Measured'), ('error', 'Error'), ('recalled', 'Recalled'), ('cancelled', 'Cancelled')], default='queued', max_length=10),
        ),
        migrations.AddConstraint(
            model_name='measurement',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['queued', 'running', 'done', 'error', 'recalled', 'cancelled'])), name='checks_measurement_status_known'),
        ),
    ]
