"""The first policy version and what it governs."""

from django.db import migrations
from django.utils import timezone

from apps.core import canonical
from apps.reviews.policies import builtin


def load(apps, schema_editor):
    document = builtin.standard()
    apps.get_model("reviews", "PolicyVersion").objects.create(
        key=document["key"],
        number=document["number"],
        document=document,
        digest=canonical.digest_of(document),
        created_at=timezone.now(),
    )
    targets = apps.get_model("registry", "GovernedTarget").objects
    for kind, field in (("stage", "stages"), ("alias", "aliases"), ("tag", "tags")):
        for name in document["governs"][field]:
            targets.create(kind=kind, name=name)


class Migration(migrations.Migration):
    dependencies = [("reviews", "0002_guards")]

    operations = [migrations.RunPython(load, migrations.RunPython.noop)]
