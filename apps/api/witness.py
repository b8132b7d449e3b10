"""The door of the witness (C2SP tlog-witness): `POST /witness/add-checkpoint`.

Whoever asks is known by the signature on the checkpoint and by nothing else, as the specification has it; which logs are heard at
all is `WITNESS_FOR`. The rules are in apps/audits/witnessing.py, here are only their status codes.
"""

from __future__ import annotations

from typing import Final

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from apps.audits import notes, witnessing
from apps.core.actor import Actor
from apps.core.errors import Blocked, Conflict, DomainError, Forbidden, Invalid, NotFound

# The first that fits counts; what is not here is a fault of ours.
_STATUS: Final[tuple[tuple[type[DomainError], int], ...]] = (
    (witnessing.Unproved, 422),
    (Conflict, 409),
    (NotFound, 404),
    (Forbidden, 403),
    (Invalid, 400),
    (Blocked, 503),
)


@csrf_exempt
@login_not_required
@require_POST
def add_checkpoint(request: HttpRequest) -> HttpResponse:
    """200 with our cosignature; 400 malformed, 403 not signed by a known key, 404 an unknown log, 409 another size (with ours) or
    another root, 413 too long, 422 no consistency, 503 no key here."""
    body = request.read(notes.LONGEST + 1)
    if len(body) > notes.LONGEST:
        return _said("The request is too long.", 413)
    try:
        line = witnessing.cosign(Actor.system("api"), witnessing.asked(body))
    except witnessing.Behind as behind:
        answer = HttpResponse(f"{behind.size}\n", status=409)
        answer["Content-Type"] = "text/x.tlog.size"
        return answer
    except DomainError as refusal:
        return _said(refusal.message, _status(refusal))
    return _said(line.rstrip("\n"), 200)


def _status(refusal: DomainError) -> int:
    return next((status for kind, status in _STATUS if isinstance(refusal, kind)), 500)


def _said(text: str, status: int) -> HttpResponse:
    return HttpResponse(f"{text}\n", status=status, content_type="text/plain; charset=utf-8")
