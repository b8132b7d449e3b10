"""A tier that the impact assessment demands is lowered as a tier is: by a signed change."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).with_name("0027_demanded_tier.sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    dependencies = [
        ("registry", "0010_demanded_tier"),
        ("impact", "0001_initial"),
        ("reviews", "0026_decision_envelopes"),
    ]
    operations = [migrations.RunSQL(SQL, migrations.RunSQL.noop)]
