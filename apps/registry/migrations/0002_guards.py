"""The triggers that make the registry's rules hold for every door; the rules stand in 0002_guards.sql."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    dependencies = [("registry", "0001_initial"), ("audits", "0001_initial")]

    operations = [migrations.RunSQL(SQL, migrations.RunSQL.noop)]
