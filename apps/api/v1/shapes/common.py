"""Parts that several answers share."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.accounts.models import User

Json = dict[str, Any]


class Person(serializers.Serializer[Any]):
    """Somebody: the printed name, and the id by which signed statements name her."""

    uuid = serializers.UUIDField()
    name = serializers.CharField()


class PolicyRef(serializers.Serializer[Any]):
    """A version of a policy."""

    key = serializers.CharField()
    number = serializers.IntegerField()
    digest = serializers.CharField(help_text="SHA-256 of the policy document.")


class File(serializers.Serializer[Any]):
    """One file of a version's manifest."""

    path = serializers.CharField()
    digest = serializers.CharField(help_text="SHA-256 of the bytes, 64 hexadecimal characters.")
    size = serializers.IntegerField(help_text="Bytes.")


def person(user: User) -> Json:
    return {"uuid": user.uuid, "name": str(user)}


def policy_ref(row: Any) -> Json:
    return {"key": row.key, "number": row.number, "digest": row.digest}
