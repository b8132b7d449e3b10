"""Any edit, drop, swap or truncation of events is found at its seq: by the site, and from an export alone."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.audits import proofs, selectors, tree, verification
from apps.audits.exporting import export_lines
from apps.audits.models import Event
from tests.support.ledger import append_some, thing_template
from tests.support.triggers import triggers_off
from tools import verify_ledger

__all__ = ["thing_template"]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("thing_template")]

SIZE = 23
_ON_A_SHARED_LEDGER = settings(
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
_SEQ = st.integers(1, SIZE)
Lines = list[dict[str, Any]]


@pytest.fixture
def lines() -> Lines:
    """The export of a whole ledger."""
    append_some(SIZE, person="Ana")
    return [json.loads(line) for line in export_lines()]


def _first_wrong(lines: Lines) -> str:
    content = "".join(json.dumps(line) + "\n" for line in lines).encode()
    try:
        verify_ledger.check_export(io.BytesIO(content), {}, {})
    except verify_ledger.Wrong as wrong:
        return str(wrong)
    return "nothing"


class TestFromAnExport:
    @_ON_A_SHARED_LEDGER
    @given(seq=_SEQ, data=st.data())
    def test_an_edited_byte(self, lines: Lines, seq: int, data: st.DataObject) -> None:
        changed = [dict(line) for line in lines]
        body = bytearray(base64.b64decode(changed[seq]["body"]))
        at = data.draw(st.integers(0, len(body) - 1))
        body[at] ^= data.draw(st.integers(1, 255))
        changed[seq]["body"] = base64.b64encode(body).decode()
        assert _first_wrong(changed).startswith(f"event {seq}: ")

    @_ON_A_SHARED_LEDGER
    @given(seq=_SEQ)
    def test_a_dropped_event_even_when_the_rest_is_renumbered(self, lines: Lines, seq: int) -> None:
        kept = [*lines[:seq], *lines[seq + 1 :]]
        assert _first_wrong(kept).startswith(f"event {seq}: missing")
        renumbered = [dict(line) for line in kept]
        for number, line in enumerate(renumbered[1:-1], start=1):
            line["seq"] = number
        assert _first_wrong(renumbered).startswith(f"event {seq}: ")

    @_ON_A_SHARED_LEDGER
    @given(pair=st.lists(_SEQ, min_size=2, max_size=2, unique=True).map(sorted))
    def test_swapped_events(self, lines: Lines, pair: list[int]) -> None:
        changed = [dict(line) for line in lines]
        first, second = pair
        for name in ("body", "root"):
            changed[first][name], changed[second][name] = (
                changed[second][name],
                changed[first][name],
            )
        assert _first_wrong(changed).startswith(f"event {first}: ")

    @_ON_A_SHARED_LEDGER
    @given(seq=_SEQ, with_end=st.booleans())
    def test_truncation(self, lines: Lines, seq: int, with_end: bool) -> None:
        cut = lines[:seq] + (lines[-1:] if with_end else [])
        assert _first_wrong(cut).startswith(f"event {seq}: ")

    @_ON_A_SHARED_LEDGER
    @given(seq=_SEQ)
    def test_an_event_put_in_twice(self, lines: Lines, seq: int) -> None:
        doubled = [*lines[: seq + 1], *lines[seq:]]
        assert _first_wrong(doubled).startswith(f"event {seq + 1}: ")


def _found(tamper: Callable[[Any], None]) -> list[str]:
    """The subjects the site names after `tamper`, which is undone afterwards."""
    with transaction.atomic():
        with triggers_off("audits_event", "audits_head"), connection.cursor() as cursor:
            tamper(cursor)
        result = verification.verify(reconcile=False)
        transaction.set_rollback(True)
    return [item["subject"] for item in result.differences]


class TestInTheDatabase:
    @_ON_A_SHARED_LEDGER
    @given(
        seq=_SEQ,
        column=st.sampled_from(["type", "subject", "door", "request_id", "actor_kind"]),
        value=st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=5),
    )
    def test_an_edited_column(self, lines: Lines, seq: int, column: str, value: str) -> None:
        def tamper(cursor: Any) -> None:
            cursor.execute(f"UPDATE audits_event SET {column} = %s WHERE seq = %s", [value, seq])  # noqa: S608

        assert _found(tamper) == [f"event:{seq}"]

    @_ON_A_SHARED_LEDGER
    @given(seq=st.integers(1, SIZE - 1))
    def test_a_dropped_event(self, lines: Lines, seq: int) -> None:
        def tamper(cursor: Any) -> None:
            cursor.execute("DELETE FROM audits_event WHERE seq = %s", [seq])

        assert _found(tamper) == [f"event:{seq}"]

    @_ON_A_SHARED_LEDGER
    @given(seq=_SEQ)
    def test_truncation(self, lines: Lines, seq: int) -> None:
        def tamper(cursor: Any) -> None:
            cursor.execute("DELETE FROM audits_event WHERE seq >= %s", [seq])

        assert _found(tamper) == [f"event:{seq}"]

    @_ON_A_SHARED_LEDGER
    @given(pair=st.lists(_SEQ, min_size=2, max_size=2, unique=True).map(sorted))
    def test_swapped_events(self, lines: Lines, pair: list[int]) -> None:
        first, second = pair

        def tamper(cursor: Any) -> None:
            cursor.execute("UPDATE audits_event SET seq = -seq WHERE seq IN (%s, %s)", pair)
            cursor.execute("UPDATE audits_event SET seq = %s WHERE seq = %s", [second, -first])
            cursor.execute("UPDATE audits_event SET seq = %s WHERE seq = %s", [first, -second])

        assert _found(tamper)[0] == f"event:{first}"

    @_ON_A_SHARED_LEDGER
    @given(seq=_SEQ)
    def test_a_replaced_body_with_its_leaf_hash_fitted(self, lines: Lines, seq: int) -> None:
        """Whoever also fits the columns is found by the root, whoever does not by both."""
        body = bytes(Event.objects.get(seq=seq).body).replace(b"note", b"nota")
        payload = json.dumps(json.loads(body)["payload"])

        def tamper(cursor: Any) -> None:
            cursor.execute(
                "UPDATE audits_event SET body = %s, payload = %s, leaf_hash = %s WHERE seq = %s",
                [body, payload, tree.leaf_hash(body), seq],
            )

        assert _found(tamper) == [f"event:{seq}"]


@_ON_A_SHARED_LEDGER
@given(seqs=st.sets(_SEQ, min_size=1, max_size=6), data=st.data())
def test_every_extract_is_proved_from_a_few_rows(
    lines: Lines, seqs: set[int], data: st.DataObject
) -> None:
    at = data.draw(st.integers(max(seqs), SIZE))
    extract = json.loads(json.dumps(selectors.extract(seqs, size=at)))
    size, root, leaves = verify_ledger.check_extract(extract)
    assert (size, root, set(leaves)) == (at, lines[at]["root"], seqs)


@_ON_A_SHARED_LEDGER
@given(old=_SEQ)
def test_consistency_proofs_come_from_the_stored_subtrees(lines: Lines, old: int) -> None:
    leaves = [
        bytes(leaf) for leaf in Event.objects.order_by("seq").values_list("leaf_hash", flat=True)
    ]
    expected = [
        tree.root_of(leaves[start:end]) for start, end in tree.consistency_ranges(old, SIZE)
    ]
    assert proofs.consistency(old, SIZE) == expected
