"""What every form that signs something shares: the password becomes a proof, and a wrong one stays in the form."""

from __future__ import annotations

from django.http import HttpRequest

from apps.accounts.services import ReauthProof, reauthenticate
from apps.core.errors import Forbidden
from apps.web import access
from apps.web.forms.base import Form


def proof(request: HttpRequest, form: Form) -> ReauthProof | None:
    """Re-authenticate with the form's password; None when it is refused, which the form then says.

    `accounts` records the try and counts it towards the lockout, right or wrong.
    """
    address = request.META.get("REMOTE_ADDR", "")
    try:
        return reauthenticate(
            access.actor(request), form.cleaned_data["password"], remote_addr=address
        )
    except Forbidden as error:
        form.add_error("password", str(error))
        return None
