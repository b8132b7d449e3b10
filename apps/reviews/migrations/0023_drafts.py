"""Drafts of requests that clients asked for."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('registry', '0009_retirement'),
        ('reviews', '0021_scheduled_policies'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ReviewDraft',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('targets', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=300), size=None)),
                ('reason', models.TextField()),
                ('status', models.CharField(choices=[('open', 'Draft'), ('submitted', 'Submitted'), ('discarded', 'Discarded')], default='open', max_length=10)),
                ('created_at', models.DateTimeField()),
                ('asked_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='drafts', to='registry.modelversion')),
            ],
            options={
                'default_permissions': (),
                'constraints': [models.UniqueConstraint(condition=models.Q(('status', 'open')), fields=('version',), name='reviews_one_open_draft_per_version'), models.CheckConstraint(condition=models.Q(('status__in', ['open', 'submitted', 'discarded'])), name='reviews_draft_status_known')],
            },
        ),
        # A draft stands only with its ledger event; it is closed, never removed.
        migrations.RunSQL(
            """
            CREATE CONSTRAINT TRIGGER reviews_draft_recorded AFTER INSERT ON reviews_reviewdraft
                DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
                EXECUTE FUNCTION reviews_demand_event('reviews.draft.kept', 'draft', 'id');
            CREATE TRIGGER reviews_draft_keep BEFORE DELETE ON reviews_reviewdraft
                FOR EACH ROW EXECUTE FUNCTION reviews_refuse();
            ALTER TABLE reviews_reviewdraft ENABLE ALWAYS TRIGGER reviews_draft_recorded;
            ALTER TABLE reviews_reviewdraft ENABLE ALWAYS TRIGGER reviews_draft_keep;
            """,
            migrations.RunSQL.noop,
        ),
    ]
