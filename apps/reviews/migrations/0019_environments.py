"""Environments that a policy names are governed, and nothing is asked for a retired model; the rules stand in 0019_environments.sql."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    dependencies = [("reviews", "0016_aftermath"), ("registry", "0009_retirement")]

    operations = [migrations.RunSQL(SQL, migrations.RunSQL.noop)]
