"""Small typed makers of valid rows, through the real services. Defaults are valid; say only what matters."""

from __future__ import annotations

import io
import itertools

from apps.accounts import services as accounts
from apps.accounts.models import User
from apps.core import blobs
from apps.core.actor import Actor
from apps.experiments.models import Run
from apps.registry import services as registry
from apps.registry.models import ModelVersion, RegisteredModel
from tests.support import people

SYSTEM = people.SYSTEM
_count = itertools.count(1)


def person(username: str, *roles: str) -> Actor:
    """A person with roles on the site, signed in at the pages with a password of her own."""
    return people.as_actor(people.hire(username, username.capitalize(), *roles))


def again(actor: Actor) -> Actor:
    """The actor as of now: what the next request would see."""
    return people.as_actor(user_of(actor))


def user_of(actor: Actor) -> User:
    return User.objects.get(pk=actor.user_id)


def model(actor: Actor, name: str = "credit", **settings: object) -> RegisteredModel:
    """A registered model, governed by default."""
    return registry.create_model(actor, name=name, **settings)  # type: ignore[arg-type]


def version(
    actor: Actor,
    of: RegisteredModel,
    *,
    run: Run | None = None,
    files: dict[str, bytes] | None = None,
) -> ModelVersion:
    """The next version of a model, with real files in the blob store."""
    contents = files or {
        "MLmodel": b"flavors: {}\n",
        "model.bin": f"weights {next(_count)}".encode(),
    }
    new = []
    for path, data in contents.items():
        blob = blobs.put(io.BytesIO(data))
        new.append(registry.NewFile(path, blob.digest, blob.size))
    return registry.create_version(actor, of, files=new, run=run)


def proof(actor: Actor) -> accounts.ReauthProof:
    """What entering the password at the moment of signing gives."""
    return accounts.reauthenticate(actor, people.PASSWORD)
