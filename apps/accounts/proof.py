"""Proof that the person was there a moment ago: what signing and other grave acts ask for."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.conf import settings

from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import Forbidden


@dataclass(frozen=True, slots=True)
class ReauthProof:
    """Who re-authenticated, when and how: "password" (services.reauthenticate) or "provider" (sso.fresh_proof).

    Made within one request and handed to the service it is for; never stored, never sent to a client.
    """

    method: str
    at: dt.datetime
    user_id: int

    def require_for(self, actor: Actor, *, method: str = "") -> None:
        """Refuse unless this is the actor's own, not older than REAUTHENTICATION_SECONDS, and of that method."""
        age = (clock.now() - self.at).total_seconds()
        if self.user_id != actor.user_id or actor.scopes is not None:
            raise Forbidden("This was confirmed by somebody else.", hint="Enter your own password.")
        if not -60 <= age <= settings.REAUTHENTICATION_SECONDS:
            raise Forbidden(
                f"You confirmed who you are {int(age)} s ago; at most "
                f"{settings.REAUTHENTICATION_SECONDS} s are allowed.",
                hint="Confirm again.",
            )
        if method and self.method != method:
            raise Forbidden(f"This takes confirmation by {method}, not by {self.method}.")
