"""The default permission of the REST framework: nobody. A view that names no other answers no one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

if TYPE_CHECKING:  # the framework's views import their default permissions, that is, this
    from rest_framework.views import APIView


class Nobody(BasePermission):
    """Refuses everybody."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return False
