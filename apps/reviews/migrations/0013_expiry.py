"""The status expired, and the triggers that hold when a request may have it."""

from pathlib import Path

from django.db import migrations, models

SQL = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):

    dependencies = [
        ('reviews', '0011_independence'),
    ]

    operations = [
        migrations.AlterField(
            model_name='review',
            name='status',
            field=models.CharField(choices=[('open', 'In review'), ('changes_requested', 'Changes requested'), ('signed', 'Signed, not promoted'), ('promoted', 'Approved'), ('rejected', 'Rejected'), ('withdrawn', 'Withdrawn'), ('expired', 'Expired')], default='open', max_length=20),
        ),
        migrations.RunSQL(SQL, migrations.RunSQL.noop),
    ]
