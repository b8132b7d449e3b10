"""Who there is and what they hold. Rows only; what they mean is in `policy`, how they change in `services`.

Deliberately missing: `is_superuser`, `is_staff`, `user_permissions` and Django's model permissions as a source of
rights (each would be a second door past `policy`), deletion of users, and group membership by hand (a group is a
group of the organisation's directory; its members come from the claims of the OpenID provider).
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import Group
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase
from knox.models import AbstractAuthToken, get_digest_token
from knox.settings import CONSTANTS

from apps.accounts.lent_models import LentRole as LentRole
from apps.accounts.verbs import OBJECT_ROLES
from apps.core import clock

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

ROLE_PREFIX = "role_"

# Meta.permissions of every root on which a role can be granted (team, experiment, registered model).
ROLE_PERMISSIONS: list[tuple[str, StrOrPromise]] = [
    (ROLE_PREFIX + role, f"Holds the role {role}") for role in OBJECT_ROLES
]


class UserManager(BaseUserManager["User"]):
    """Looks people up; `services.create_user` makes them."""

    def get_by_natural_key(self, username: str | None) -> User:
        """The user of that name in any letter case."""
        return self.get(username=User.normalise(username or ""))


class User(AbstractBaseUser):
    """A person or a service. Never deleted, so that a name on a signature always means the same person."""

    class Kind(models.TextChoices):
        HUMAN = "human", "person"
        SERVICE = "service", "service"

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    username = models.CharField(max_length=150, unique=True)  # stored in lower case
    display_name = models.CharField(max_length=200)
    email = models.EmailField(blank=True, default="")
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.HUMAN)
    is_active = models.BooleanField(default=True)
    password_version = models.PositiveIntegerField(default=1)
    must_change_password = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    groups = models.ManyToManyField(Group, related_name="user_set", blank=True)

    objects = UserManager()

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["display_name"]

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=models.Q(username=Lower("username")), name="user_username_lower"
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=["human", "service"]), name="user_kind"
            ),
        ]

    def __str__(self) -> str:
        return self.display_name or self.username

    @staticmethod
    def normalise(username: str) -> str:
        """The one spelling a username is stored and looked up in."""
        return username.strip().lower()

    @property
    def is_human(self) -> bool:
        """A person, as against a service."""
        return self.kind == self.Kind.HUMAN


class Identity(models.Model):
    """Somebody at an OpenID provider: the pair the provider promises never to give to another person."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="identities")
    issuer = models.CharField(max_length=500)
    subject = models.CharField(max_length=255)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["issuer", "subject"], name="identity_once"),
        ]

    def __str__(self) -> str:
        return f"{self.subject} at {self.issuer}"


class ServiceOwner(models.Model):
    """A person who answers for a service, or did. Rows end, they are not removed: whoever ever answered for a
    service counts as author of what it wrote, so that giving it up on the eve of a review helps nobody."""

    service = models.ForeignKey(User, on_delete=models.PROTECT, related_name="ownerships")
    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="answers_for")
    since = models.DateTimeField(default=clock.now, editable=False)
    until = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["service", "owner"],
                name="serviceowner_once",
                condition=models.Q(until__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.owner} answers for {self.service}"


class Team(models.Model):
    """Who owns experiments and models together; a role on a team holds for all of them."""

    key = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=200)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        permissions = ROLE_PERMISSIONS
        default_permissions = ()

    def __str__(self) -> str:
        return self.name

    def policy_root(self) -> Team:
        """Where rights to this object are granted (see apps.accounts.policy)."""
        return self


class TeamUserRole(UserObjectPermissionBase):
    """A person's role on a team."""

    content_object = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="user_roles")

    class Meta(UserObjectPermissionBase.Meta):
        default_permissions = ()


class TeamGroupRole(GroupObjectPermissionBase):
    """A directory group's role on a team."""

    content_object = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="group_roles")

    class Meta(GroupObjectPermissionBase.Meta):
        default_permissions = ()


class Role(models.Model):
    """A named set of verbs. Seeded by a migration; the site's database role cannot write it."""

    key = models.CharField(max_length=30, primary_key=True)
    label = models.CharField(max_length=60)
    description = models.CharField(max_length=300)
    position = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["position"]
        default_permissions = ()

    def __str__(self) -> str:
        return self.label


class RoleVerb(models.Model):
    """The role may do the verb."""

    role = models.ForeignKey(Role, on_delete=models.PROTECT, related_name="verbs")
    verb = models.CharField(max_length=60, db_index=True)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["role", "verb"], name="roleverb_once")]

    def __str__(self) -> str:
        return f"{self.role_id}: {self.verb}"


class RoleAssignment(models.Model):
    """A role held everywhere, by a person or by a directory group."""

    user = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="role_assignments"
    )
    group = models.ForeignKey(
        Group, on_delete=models.PROTECT, null=True, blank=True, related_name="role_assignments"
    )
    role = models.ForeignKey(Role, on_delete=models.PROTECT, related_name="assignments")

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=models.Q(user__isnull=False, group__isnull=True)
                | models.Q(user__isnull=True, group__isnull=False),
                name="roleassignment_one_holder",
            ),
            models.UniqueConstraint(
                fields=["user", "role"],
                name="roleassignment_user_once",
                condition=models.Q(user__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["group", "role"],
                name="roleassignment_group_once",
                condition=models.Q(group__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role_id} for {self.user or self.group}"


class AccessTokenManager(models.Manager["AccessToken"]):
    """Makes tokens with knox's generator and hash."""

    def issue(
        self, *, user: User, prefix: str, name: str, scopes: list[str], expiry: dt.datetime
    ) -> tuple[AccessToken, str]:
        """The stored row and the raw token, which exists nowhere else."""
        digest, raw = get_digest_token(prefix)
        row = self.create(
            digest=digest,
            token_key=raw[: CONSTANTS.TOKEN_KEY_LENGTH],
            user=user,
            name=name,
            scopes=scopes,
            expiry=expiry,
        )
        return row, raw


class AccessToken(AbstractAuthToken):  # type: ignore[misc]  # knox has no types
    """A hashed, scoped, expiring token; knox's token model. The raw token is shown once and stored nowhere."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=100)
    scopes = ArrayField(models.CharField(max_length=20))
    # To the day: who used what when is the attempts' business, and a write per call is not wanted.
    last_used_at = models.DateField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = AccessTokenManager()

    class Meta:
        ordering = ["-created"]
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.name} ({self.token_key}…)"

    def is_valid(self, at: dt.datetime) -> bool:
        """Neither revoked nor expired at that instant."""
        return self.revoked_at is None and (self.expiry is None or self.expiry > at)


class SignInThrottle(models.Model):
    """Failed passwords of one account from one address. `account` is a keyed digest of what was typed."""

    account = models.CharField(max_length=64)
    address = models.CharField(max_length=64)
    failures = models.PositiveIntegerField(default=0)
    last_failed_at = models.DateTimeField(db_index=True)
    locked_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["account", "address"], name="signinthrottle_once"),
        ]

    def __str__(self) -> str:
        return f"{self.failures} failures from {self.address}"


class SetupToken(models.Model):
    """The printed token by which the first administrator is made; SHA-256 of it."""

    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"set-up token of {self.created_at:%Y-%m-%d %H:%M}"
