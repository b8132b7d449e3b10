"""The triggers that make the rules of reviews hold for every door; they stand in 0002_guards.sql."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    dependencies = [
        ("reviews", "0001_initial"),
        ("registry", "0002_guards"),
        ("audits", "0002_guards"),
    ]

    operations = [migrations.RunSQL(SQL, migrations.RunSQL.noop)]
