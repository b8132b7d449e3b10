"""Experiment 0, "Default", must exist before the first call: a client that names no experiment logs there."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("experiments", "0001_initial")]

    operations = [
        migrations.RunSQL(
            sql="""
                INSERT INTO experiments_experiment
                    (id, uuid, name, lifecycle_stage, created_at, updated_at)
                SELECT 0, gen_random_uuid(), 'Default', 'active', ms, ms
                  FROM (SELECT (extract(epoch FROM now()) * 1000)::bigint AS ms) AS clock
                ON CONFLICT (id) DO NOTHING
            """,
            reverse_sql=migrations.RunSQL.noop,
        )
    ]
