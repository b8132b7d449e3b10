"""The default permission of the REST framework: nobody. A view that names no other answers no one."""

from __future__ import annotations

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView


class Nobody(BasePermission):
    """Refuses everybody."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return False
