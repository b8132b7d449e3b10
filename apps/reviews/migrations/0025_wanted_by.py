"""The day by which a submitter would like her version to be there; it is part of the request, which does not change."""

import datetime
from pathlib import Path

import django.db.models.functions.datetime
from django.db import migrations, models

SQL = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):

    dependencies = [
        ('reviews', '0024_policy_simulations'),
    ]

    operations = [
        migrations.AddField(
            model_name='review',
            name='wanted_by',
            field=models.DateField(blank=True, null=True),
        ),
        migrations.AddConstraint(
            model_name='review',
            constraint=models.CheckConstraint(condition=models.Q(('wanted_by__gte', django.db.models.functions.datetime.TruncDate('created_at', tzinfo=datetime.timezone.utc))), name='reviews_wanted_by_not_past'),
        ),
        migrations.RunSQL(SQL, migrations.RunSQL.noop),
    ]
