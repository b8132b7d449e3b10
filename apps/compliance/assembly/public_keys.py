"""The site's public keys as a document encloses them."""

from __future__ import annotations

import datetime as dt

from apps.audits import keys
from apps.audits.keys import KnownKey
from apps.modelcards.dossier import KeyView


def views() -> tuple[KeyView, ...]:
    """Every key that ever signed here, oldest first."""
    return tuple(_view(key) for key in keys.known())


def _view(key: KnownKey) -> KeyView:
    return KeyView(
        key_id=key.key_id,
        purpose=key.purpose,
        algorithm=key.algorithm,
        name=key.name,
        public=key.public.hex(),
        added_at=key.added_at.isoformat(),
        certificate=key.certificate,
        retired_at=_when(key.retired_at),
        compromised_since=_when(key.compromised_since),
    )


def _when(at: dt.datetime | None) -> str:
    return at.isoformat() if at else ""
