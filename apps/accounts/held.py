"""Which roles a person holds, read from the tables in one statement each: the SQL behind `policy`.

Plain SQL, because `can` answers on every call of the MLflow protocol and composing the union through the ORM
costs more than running it.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

from django.db import connection
from psycopg import sql

from apps.accounts.verbs import OWNER
from apps.core import clock


@dataclass(frozen=True, slots=True)
class Place:
    """The two tables with the grants on a kind of root, which root, and its id in words."""

    user_table: str
    group_table: str
    pk: int
    word: str


@dataclass(frozen=True, slots=True)
class Grant:
    """A role, where it is held ("site", "team:1", "model:3") and through which group, if any."""

    role: str
    on: str
    group: str = ""

    def __str__(self) -> str:
        where = "on the whole site" if self.on == "site" else f"on {self.on}"
        return f"{self.role} {where}" + (f" through the group {self.group}" if self.group else "")


@dataclass(frozen=True, slots=True)
class LockedPerson:
    """What signing needs to know of a person, as locked."""

    is_active: bool
    must_change_password: bool


# A person's site-wide verbs as an array; the alias `u` is the row of accounts_user.
SITE_VERBS = """
    ARRAY(SELECT DISTINCT rv.verb FROM accounts_roleassignment a
          JOIN accounts_roleverb rv ON rv.role_id = a.role_id
          WHERE a.user_id = u.id OR a.group_id IN
              (SELECT m.group_id FROM accounts_user_groups m WHERE m.user_id = u.id))
"""

_SITE_ROLES = """
    SELECT a.role_id AS role, 'site' AS place, coalesce(g.name, '') AS via
    FROM accounts_roleassignment a LEFT JOIN auth_group g ON g.id = a.group_id
    WHERE a.user_id = %(user)s OR a.group_id IN
        (SELECT m.group_id FROM accounts_user_groups m WHERE m.user_id = %(user)s)
"""

# substr(codename, 6): what follows models.ROLE_PREFIX. The names of groups cost a join; only an explanation needs them.
_BY_PERSON = """
    SELECT substr(p.codename, 6) AS role, {word} AS place, '' AS via
    FROM {users} r JOIN auth_permission p ON p.id = r.permission_id
    WHERE r.content_object_id = {pk} AND r.user_id = %(user)s
"""
_BY_GROUP = """
    SELECT substr(p.codename, 6), {word}, {via}
    FROM {groups} r JOIN auth_permission p ON p.id = r.permission_id
    JOIN accounts_user_groups m ON m.group_id = r.group_id AND m.user_id = %(user)s
    WHERE r.content_object_id = {pk}
"""
_GROUP_NAME = "(SELECT g.name FROM auth_group g WHERE g.id = r.group_id)"
# Roles until a moment are lent on registered models only.
_LENT = """
    SELECT l.role_id AS role, %(word)s AS place, '' AS via FROM accounts_lentrole l
    WHERE l.user_id = %(user)s AND l.model_id = %(pk)s AND l.ended_at IS NULL AND l.until > %(now)s
"""
_LENDABLE = "registry_modeluserrole"
_OWNED = "SELECT %(owner_role)s AS role, %(word)s AS place, '' AS via WHERE %(owner)s = %(user)s"
_NOWHERE = "SELECT '' AS role, '' AS place, '' AS via WHERE false"


def site_verbs(user_id: int) -> frozenset[str]:
    """The verbs the person holds everywhere, as of now."""
    with connection.cursor() as cursor:
        cursor.execute(_SITE_VERBS_OF, {"user": user_id})
        row = cursor.fetchone()
    return frozenset(row[0]) if row else frozenset()


def verbs(
    user_id: int, place: Place | None, team_id: int | None, owner_id: int | None
) -> frozenset[str]:
    """The verbs of the roles held on the root and on its team. Site-wide ones are not repeated."""
    statement = _verbs_sql(*_tables(place), team_id is not None, owner_id == user_id)
    with connection.cursor() as cursor:
        cursor.execute(statement, _parameters(user_id, place, team_id, owner_id))
        return frozenset(row[0] for row in cursor.fetchall())


def grants(
    user_id: int, place: Place | None, team_id: int | None, owner_id: int | None
) -> list[Grant]:
    """Every role that counts there, with its source."""
    statement = _grants_sql(*_tables(place), team_id is not None, owner_id == user_id)
    with connection.cursor() as cursor:
        cursor.execute(statement, _parameters(user_id, place, team_id, owner_id))
        return [Grant(*row) for row in cursor.fetchall()]


def lock_person(user_id: int) -> LockedPerson | None:
    """Share-lock the person's row until the transaction ends. Whoever revokes locks it to write."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT is_active, must_change_password FROM accounts_user WHERE id = %s FOR SHARE",
            [user_id],
        )
        row = cursor.fetchone()
    return LockedPerson(*row) if row else None


def _tables(place: Place | None) -> tuple[str, str]:
    return (place.user_table, place.group_table) if place else ("", "")


def _parameters(
    user_id: int, place: Place | None, team_id: int | None, owner_id: int | None
) -> dict[str, Any]:
    return {
        "user": user_id,
        "pk": place.pk if place else None,
        "word": place.word if place else "",
        "team": team_id,
        "team_word": f"team:{team_id}",
        "owner": owner_id,
        "owner_role": OWNER,
        "now": clock.now(),
    }


@functools.cache
def _verbs_sql(users: str, groups: str, in_team: bool, owned: bool) -> str:
    statement = sql.SQL(
        "SELECT DISTINCT rv.verb FROM accounts_roleverb rv WHERE rv.role_id IN (SELECT role FROM ({}) t)"
    )
    roles = _rooted(users, groups, in_team, owned, named=False)
    return statement.format(roles).as_string(None)


@functools.cache
def _grants_sql(users: str, groups: str, in_team: bool, owned: bool) -> str:
    statement = sql.SQL(
        "SELECT role, place, via FROM ({} UNION ALL {}) t ORDER BY place, role, via"
    )
    roles = _rooted(users, groups, in_team, owned, named=True)
    return statement.format(sql.SQL(_SITE_ROLES), roles).as_string(None)


def _rooted(users: str, groups: str, in_team: bool, owned: bool, *, named: bool) -> sql.Composed:
    """The roles on the object itself (given its tables), on its team, by owning it. What cannot apply is left out:
    the planner takes longer over it than the executor."""
    parts: list[sql.Composable] = []
    if users:
        parts += _object_roles(users, groups, "pk", "word", named=named)
    if users == _LENDABLE:
        parts.append(sql.SQL(_LENT))
    if in_team:
        tables = ("accounts_teamuserrole", "accounts_teamgrouprole")
        parts += _object_roles(*tables, "team", "team_word", named=named)
    if owned:
        parts.append(sql.SQL(_OWNED))
    return sql.SQL(" UNION ALL ").join(parts or [sql.SQL(_NOWHERE)])


def _object_roles(
    users: str, groups: str, pk: str, word: str, *, named: bool
) -> list[sql.Composable]:
    names = {
        "users": sql.Identifier(users),
        "groups": sql.Identifier(groups),
        "pk": sql.Placeholder(pk),
        "word": sql.Placeholder(word),
        "via": sql.SQL(_GROUP_NAME if named else "''"),
    }
    return [sql.SQL(_BY_PERSON).format(**names), sql.SQL(_BY_GROUP).format(**names)]


_SITE_VERBS_OF = f"SELECT {SITE_VERBS} FROM accounts_user u WHERE u.id = %(user)s"  # noqa: S608  # constants only
