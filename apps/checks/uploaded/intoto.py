"""in-toto Statement v1, plain or in a DSSE envelope. The predicate test-result v0.1 is understood; others are kept.

1 an envelope is opened: its payload is the statement (base64, both alphabets, as the DSSE specification asks);
2 the statement is held against its schema; every subject needs a SHA-256, which the caller holds against the version;
3 a test result gives outcome and counts; any other predicate gives none, and the reading says that.

It does not check signatures: there is no list of keys to trust here. What is shown says so.
Sources: https://github.com/in-toto/attestation (spec/v1, spec/predicates/test-result.md), https://github.com/secure-systems-lab/dsse.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Final

from apps.checks.uploaded import schemas, strictjson
from apps.checks.uploaded.malformed import Malformed
from apps.checks.uploaded.reading import (
    COUNTED,
    LONGEST_NAME,
    Format,
    Item,
    Outcome,
    Reading,
    Statement,
    Subject,
    clipped,
    shown,
)
from apps.checks.uploaded.strictjson import Document

READER: Final = "intoto/1"
STATEMENT: Final = "https://in-toto.io/Statement/v1"
TEST_RESULT: Final = "https://in-toto.io/attestation/test-result/v0.1"

_OUTCOMES: Final[Mapping[str, Outcome]] = {
    "PASSED": Outcome.PASSED,
    "WARNED": Outcome.WARNED,
    "FAILED": Outcome.FAILED,
}
_TESTS: Final = {"failedTests": "failed", "warnedTests": "warned", "passedTests": "passed"}


def read(document: Document) -> Reading:
    """What a plain statement says; raises Malformed with line and reason."""
    return _statement(document)


def read_envelope(document: Document) -> Reading:
    """What the statement in an envelope says. A place in it is one of the payload, and is called so."""
    schemas.require(document, "envelope.v1")
    payload = _opened(document)
    signers = tuple(
        clipped(each.get("keyid") or "no key named", LONGEST_NAME)
        for each in document.value["signatures"]
    )
    try:
        return _statement(strictjson.read(payload), signers, enveloped=True)
    except Malformed as error:
        where = (
            f"line {error.line} of the envelope's payload: "
            if error.line
            else "in the envelope's payload: "
        )
        raise Malformed(where + error.reason, document.line(("payload",))) from None


def _opened(document: Document) -> bytes:
    """Step 1."""
    text = document.value["payload"].replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise Malformed(
            "the envelope's payload is not base64", document.line(("payload",))
        ) from None


def _statement(
    document: Document, signers: tuple[str, ...] = (), *, enveloped: bool = False
) -> Reading:
    """Steps 2 and 3."""
    schemas.require(document, "statement.v1")
    said = document.value
    subjects = tuple(
        Subject(
            clipped(each.get("name", ""), LONGEST_NAME),
            each["digest"]["sha256"],
            document.line(("subject", number)),
        )
        for number, each in enumerate(said["subject"])
    )
    understood = said["predicateType"] == TEST_RESULT
    told = _test_result(document) if understood else _kept(said["predicateType"])
    predicate = said.get("predicate", {})
    statement = Statement(
        predicate_type=said["predicateType"],
        understood=understood,
        enveloped=enveloped,
        signers=signers,
        url=predicate.get("url", "") if understood else "",
    )
    name = clipped(said["predicateType"].rstrip("/"), LONGEST_NAME)
    return Reading(
        reader=READER,
        format=Format.INTOTO.value,
        name=name,
        subjects=subjects,
        statement=statement,
        **told,
    )


def _test_result(document: Document) -> dict[str, Any]:
    schemas.require(document, "test-result.v0.1")
    said = document.value["predicate"]
    named = {outcome: said.get(key, ()) for key, outcome in _TESTS.items()}
    outcome = _OUTCOMES[said["result"]]
    line = document.line(("predicate", "result"))
    if named["failed"] and outcome is not Outcome.FAILED:
        raise Malformed(
            f"the result is {said['result']}, and failedTests names {len(named['failed'])}", line
        )
    if named["warned"] and outcome is Outcome.PASSED:
        raise Malformed(f"the result is PASSED, and warnedTests names {len(named['warned'])}", line)
    items, left = shown(
        Item(clipped(name, LONGEST_NAME), each, line=document.line(("predicate", key, number)))
        for key, each in _TESTS.items() if each != "passed"
        for number, name in enumerate(named[each])
    )  # fmt: skip
    counts = {key: len(named.get(key, ())) for key in COUNTED}
    return {"outcome": outcome.value, "counts": counts, "items": items, "items_left": left}


def _kept(predicate_type: str) -> dict[str, Any]:
    remark = f"The predicate {clipped(predicate_type, 200)} is kept and not understood: it gives no verdict here."
    return {
        "outcome": Outcome.UNJUDGED.value,
        "counts": dict.fromkeys(COUNTED, 0),
        "remarks": (remark,),
    }
