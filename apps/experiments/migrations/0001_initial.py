
import django.db.models.deletion
import django.db.models.functions.text
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '0002_roles'),
        ('auth', '0012_alter_user_first_name_max_length'),
        ('core', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Dataset',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(db_collation='C', max_length=500)),
                ('digest', models.CharField(db_collation='C', max_length=36)),
                ('source_type', models.TextField()),
                ('source', models.TextField()),
                ('schema', models.TextField(default='')),
                ('profile', models.TextField(default='')),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='DatasetInput',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('dataset', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='inputs', to='experiments.dataset')),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='DatasetInputTag',
            fields=[
                ('pk', models.CompositePrimaryKey('input_id', 'name', blank=True, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(db_collation='C', max_length=255)),
                ('value', models.CharField(max_length=500)),
                ('input', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='tags', to='experiments.datasetinput')),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='Experiment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('name', models.CharField(max_length=500)),
                ('lifecycle_stage', models.CharField(choices=[('active', 'Active'), ('deleted', 'Deleted')], default='active', max_length=7)),
                ('created_at', models.BigIntegerField()),
                ('updated_at', models.BigIntegerField()),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('team', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='experiments', to='accounts.team')),
            ],
            options={
                'permissions': [('role_viewer', 'Holds the role viewer'), ('role_contributor', 'Holds the role contributor'), ('role_owner', 'Holds the role owner'), ('role_validator', 'Holds the role validator'), ('role_approver', 'Holds the role approver'), ('role_auditor', 'Holds the role auditor')],
                'default_permissions': (),
            },
        ),
        migrations.AddField(
            model_name='dataset',
            name='experiment',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='datasets', to='experiments.experiment'),
        ),
        migrations.CreateModel(
            name='ExperimentGroupRole',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('content_object', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='group_roles', to='experiments.experiment')),
                ('group', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='auth.group')),
                ('permission', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='auth.permission')),
            ],
            options={
                'abstract': False,
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='ExperimentTag',
            fields=[
                ('pk', models.CompositePrimaryKey('experiment_id', 'key', blank=True, editable=False, primary_key=True, serialize=False)),
                ('key', models.CharField(db_collation='C', max_length=250)),
                ('value', models.TextField()),
                ('experiment', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='tags', to='experiments.experiment')),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='ExperimentUserRole',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('content_object', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='user_roles', to='experiments.experiment')),
                ('permission', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='auth.permission')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'abstract': False,
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='LoggedModel',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('model_id', models.CharField(db_collation='C', max_length=34)),
                ('name', models.CharField(max_length=500)),
                ('model_type', models.CharField(blank=True, default='', max_length=500)),
                ('status', models.CharField(choices=[('LOGGED_MODEL_PENDING', 'Pending'), ('LOGGED_MODEL_READY', 'Ready'), ('LOGGED_MODEL_UPLOAD_FAILED', 'Failed')], default='LOGGED_MODEL_PENDING', max_length=26)),
                ('created_at', models.BigIntegerField()),
                ('updated_at', models.BigIntegerField()),
                ('deleted_at', models.BigIntegerField(null=True)),
                ('sealed_by', models.BigIntegerField(null=True)),
                ('sealed_at', models.DateTimeField(null=True)),
                ('created_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('experiment', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='logged_models', to='experiments.experiment')),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='LoggedModelAuthor',
            fields=[
                ('pk', models.CompositePrimaryKey('model_id', 'user_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('model', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='authors', to='experiments.loggedmodel')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='LoggedModelParam',
            fields=[
                ('pk', models.CompositePrimaryKey('model_id', 'key', blank=True, editable=False, primary_key=True, serialize=False)),
                ('key', models.CharField(db_collation='C', max_length=250)),
                ('value', models.TextField()),
                ('model', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='params', to='experiments.loggedmodel')),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='LoggedModelTag',
            fields=[
                ('pk', models.CompositePrimaryKey('model_id', 'key', blank=True, editable=False, primary_key=True, serialize=False)),
                ('key', models.CharField(db_collation='C', max_length=250)),
                ('value', models.TextField()),
                ('model', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='tags', to='experiments.loggedmodel')),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='Run',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('run_id', models.CharField(db_collation='C', max_length=32)),
                ('name', models.TextField()),
                ('status', models.CharField(choices=[('RUNNING', 'Running'), ('SCHEDULED', 'Scheduled'), ('FINISHED', 'Finished'), ('FAILED', 'Failed'), ('KILLED', 'Killed')], default='RUNNING', max_length=9)),
                ('start_time', models.BigIntegerField()),
                ('end_time', models.BigIntegerField(null=True)),
                ('user_label', models.TextField(blank=True, default='')),
                ('lifecycle_stage', models.CharField(choices=[('active', 'Active'), ('deleted', 'Deleted')], default='active', max_length=7)),
                ('deleted_time', models.BigIntegerField(null=True)),
                ('sealed_by', models.BigIntegerField(null=True)),
                ('sealed_at', models.DateTimeField(null=True)),
                ('created_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('experiment', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='runs', to='experiments.experiment')),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='Param',
            fields=[
                ('pk', models.CompositePrimaryKey('run_id', 'key', blank=True, editable=False, primary_key=True, serialize=False)),
                ('key', models.CharField(db_collation='C', max_length=250)),
                ('value', models.TextField()),
                ('experiment', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='experiments.experiment')),
                ('run', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='params', to='experiments.run')),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='Metric',
            fields=[
                ('pk', models.CompositePrimaryKey('run_id', 'key', 'timestamp', 'step', 'value', 'is_nan', blank=True, editable=False, primary_key=True, serialize=False)),
                ('key', models.CharField(db_collation='C', max_length=250)),
                ('timestamp', models.BigIntegerField()),
                ('step', models.BigIntegerField()),
                ('value', models.FloatField()),
                ('is_nan', models.BooleanField()),
                ('run', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='metrics', to='experiments.run')),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='LoggedModelMetric',
            fields=[
                ('pk', models.CompositePrimaryKey('model_id', 'key', 'timestamp', 'step', 'run_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('key', models.CharField(db_collation='C', max_length=250)),
                ('timestamp', models.BigIntegerField()),
                ('step', models.BigIntegerField()),
                ('value', models.FloatField()),
                ('is_nan', models.BooleanField()),
                ('dataset_name', models.CharField(default='', max_length=500)),
                ('dataset_digest', models.CharField(default='', max_length=36)),
                ('model', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='metrics', to='experiments.loggedmodel')),
                ('run', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='model_metrics', to='experiments.run')),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.AddField(
            model_name='loggedmodel',
            name='source_run',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='logged_models', to='experiments.run'),
        ),
        migrations.CreateModel(
            name='LatestMetric',
            fields=[
                ('pk', models.CompositePrimaryKey('run_id', 'key', blank=True, editable=False, primary_key=True, serialize=False)),
                ('key', models.CharField(db_collation='C', max_length=250)),
                ('timestamp', models.BigIntegerField()),
                ('step', models.BigIntegerField()),
                ('value', models.FloatField()),
                ('is_nan', models.BooleanField()),
                ('experiment', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='experiments.experiment')),
                ('run', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='latest_metrics', to='experiments.run')),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.AddField(
            model_name='datasetinput',
            name='run',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='dataset_inputs', to='experiments.run'),
        ),
        migrations.CreateModel(
            name='Artifact',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('path', models.CharField(db_collation='C', max_length=1024)),
                ('created_at', models.DateTimeField()),
                ('blob', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='core.blob')),
                ('created_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('logged_model', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='artifacts', to='experiments.loggedmodel')),
                ('run', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='artifacts', to='experiments.run')),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='RunAuthor',
            fields=[
                ('pk', models.CompositePrimaryKey('run_id', 'user_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('run', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='authors', to='experiments.run')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='RunModelInput',
            fields=[
                ('pk', models.CompositePrimaryKey('run_id', 'model_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('model', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='used_by', to='experiments.loggedmodel')),
                ('run', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='model_inputs', to='experiments.run')),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='RunOutput',
            fields=[
                ('pk', models.CompositePrimaryKey('run_id', 'model_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('step', models.BigIntegerField(default=0)),
                ('model', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='output_of', to='experiments.loggedmodel')),
                ('run', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='outputs', to='experiments.run')),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='RunTag',
            fields=[
                ('pk', models.CompositePrimaryKey('run_id', 'key', blank=True, editable=False, primary_key=True, serialize=False)),
                ('key', models.CharField(db_collation='C', max_length=250)),
                ('value', models.TextField()),
                ('experiment', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='experiments.experiment')),
                ('run', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='tags', to='experiments.run')),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.AddIndex(
            model_name='experiment',
            index=models.Index(models.OrderBy(models.F('created_at'), descending=True), models.F('id'), name='experiment_recent'),
        ),
        migrations.AddConstraint(
            model_name='experiment',
            constraint=models.UniqueConstraint(fields=('name',), name='experiment_name'),
        ),
        migrations.AddConstraint(
            model_name='dataset',
            constraint=models.UniqueConstraint(fields=('experiment', 'name', 'digest'), name='dataset_identity'),
        ),
        migrations.AlterUniqueTogether(
            name='experimentgrouprole',
            unique_together={('group', 'permission', 'content_object')},
        ),
        migrations.AlterUniqueTogether(
            name='experimentuserrole',
            unique_together={('user', 'permission', 'content_object')},
        ),
        migrations.AddIndex(
            model_name='run',
            index=models.Index(models.F('experiment'), models.OrderBy(models.F('start_time'), descending=True), models.F('run_id'), name='run_recent'),
        ),
        migrations.AddIndex(
            model_name='run',
            index=models.Index(models.F('sealed_by'), condition=models.Q(('sealed_by__isnull', False)), name='run_sealed'),
        ),
        migrations.AddConstraint(
            model_name='run',
            constraint=models.UniqueConstraint(fields=('run_id',), name='run_run_id'),
        ),
        migrations.AddConstraint(
            model_name='run',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('sealed_at__isnull', True), ('sealed_by__isnull', True)), models.Q(('sealed_at__isnull', False), ('sealed_by__isnull', False)), _connector='OR'), name='run_sealed_whole'),
        ),
        migrations.AddIndex(
            model_name='param',
            index=models.Index(models.F('experiment'), models.F('key'), django.db.models.functions.text.Left('value', 200), models.F('run'), name='param_value'),
        ),
        migrations.AddIndex(
            model_name='loggedmodel',
            index=models.Index(models.F('experiment'), models.OrderBy(models.F('created_at'), descending=True), models.F('model_id'), name='logged_model_recent'),
        ),
        migrations.AddConstraint(
            model_name='loggedmodel',
            constraint=models.UniqueConstraint(fields=('model_id',), name='logged_model_model_id'),
        ),
        migrations.AddConstraint(
            model_name='loggedmodel',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('sealed_at__isnull', True), ('sealed_by__isnull', True)), models.Q(('sealed_at__isnull', False), ('sealed_by__isnull', False)), _connector='OR'), name='logged_model_sealed_whole'),
        ),
        migrations.AddIndex(
            model_name='latestmetric',
            index=models.Index(models.F('experiment'), models.F('key'), models.F('is_nan'), models.OrderBy(models.F('value'), descending=True), models.F('run'), name='latest_metric_value'),
        ),
        migrations.AddConstraint(
            model_name='datasetinput',
            constraint=models.UniqueConstraint(fields=('run', 'dataset'), name='dataset_input_once'),
        ),
        migrations.AddIndex(
            model_name='artifact',
            index=models.Index(models.F('blob'), name='artifact_blob'),
        ),
        migrations.AddConstraint(
            model_name='artifact',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('logged_model__isnull', False), ('run__isnull', True)), models.Q(('logged_model__isnull', True), ('run__isnull', False)), _connector='OR'), name='artifact_one_root'),
        ),
        migrations.AddConstraint(
            model_name='artifact',
            constraint=models.UniqueConstraint(fields=('run', 'path'), name='artifact_run_path'),
        ),
        migrations.AddConstraint(
            model_name='artifact',
            constraint=models.UniqueConstraint(fields=('logged_model', 'path'), name='artifact_model_path'),
        ),
        migrations.AddIndex(
            model_name='runtag',
            index=models.Index(models.F('experiment'), models.F('key'), django.db.models.functions.text.Left('value', 200), models.F('run'), name='run_tag_value'),
        ),
    ]
