"""What is read from results files, and what is refused with which line. No database."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.checks.uploaded import formats, reading, schemas, strictjson
from apps.checks.uploaded.malformed import Malformed
from apps.checks.uploaded.reading import Item, Metric, Reading, Subject
from tests.checks.uploaded.files import (
    GTEST,
    LAUGHS,
    OUTSIDE,
    PYTEST,
    SURE,
    envelope,
    results,
    statement,
)

SHA = "ab" * 32


def counted(found: Reading) -> dict[str, int]:
    return {key: count for key, count in found.counts.items() if count}


def test_junit_of_pytest_gives_cases_time_and_what_went_wrong() -> None:
    found = formats.read(PYTEST)
    assert (found.format, found.outcome, found.name) == ("junit", "failed", "pytest tests")
    assert counted(found) == {"failed": 1, "skipped": 1, "passed": 1}
    assert found.items == (
        Item("tests.test_score: test_monotone", "failed", "assert 0.61 <= 0.60", 5),
        Item("tests.test_score: test_gpu", "skipped", "no GPU", 7),
    )
    assert (found.seconds, found.ran_at) == ("0.300", "2024-11-01T10:00:00.500000+00:00")


def test_a_failure_without_a_message_is_told_by_its_text() -> None:
    data = b'<testsuite><testcase name="a"><error type="X">Traceback\n  line 2</error></testcase></testsuite>'
    assert formats.read(data).items == (Item("a", "error", "Traceback line 2", 1),)


def test_a_case_that_failed_first_and_passed_when_run_again_is_flaky() -> None:
    found = formats.read(SURE)
    assert (found.outcome, counted(found)) == ("passed", {"passed": 2, "flaky": 1})
    assert found.seconds == "1204.500"


def test_a_case_that_did_not_run_by_its_status_is_skipped() -> None:
    assert counted(formats.read(GTEST)) == {"passed": 1, "skipped": 1}


def test_a_status_that_says_failed_counts_without_an_element() -> None:
    assert (
        formats.read(b'<testsuite><testcase name="a" status="fail"/></testsuite>').outcome
        == "failed"
    )


def test_what_is_kept_and_not_read_is_said() -> None:
    data = b'<testsuite><properties><property name="x" value="1"/></properties><testcase name="a"><system-out>hi</system-out></testcase></testsuite>'
    assert (
        formats.read(data).remarks[0]
        == "Kept in the file and not read: 1 × properties, 1 × system-out."
    )


def test_a_suite_in_which_nothing_ran_did_not_pass() -> None:
    skipped = b'<testsuite><testcase name="a"><skipped/></testcase></testsuite>'
    assert formats.read(skipped).outcome == "empty"
    assert formats.read(b"<testsuites/>").outcome == "empty"


def test_junit_may_come_in_another_encoding_that_it_declares() -> None:
    data = '<?xml version="1.0" encoding="ISO-8859-1"?><testsuite><testcase name="Größe"><skipped/></testcase></testsuite>'
    assert formats.read(data.encode("latin-1")).items[0].name == "Größe"
    utf16 = data.replace("ISO-8859-1", "UTF-16")
    assert formats.read(utf16.encode("utf-16")).items[0].name == "Größe"


@pytest.mark.parametrize(
    ("data", "line", "reason"),
    [
        (LAUGHS, 2, "a document type is not taken"),
        (OUTSIDE, 1, "a document type is not taken"),
        (b'<testsuite>\n<testcase name="&x;"/></testsuite>', 2, "undefined entity"),
        (PYTEST[:-30], 7, "not well-formed"),
        (b"<testsuite>\n<testcase name='a'>\n</testsuite>", 3, "mismatched tag"),
        (b'<testsuite>\n<testcase name="a" name="b"/></testsuite>', 2, "duplicate attribute"),
        ("<testsuite>\n<testcase name='é'/></testsuite>".encode("latin-1"), 2, "0xe9 is not UTF-8"),
        (b'<?xml version="1.0" encoding="klingon"?><testsuite/>', 1, "unknown encoding"),
        (b"\xff\xfe<\x00a", 1, "not well-formed"),
        (b"<testsuite>" * 40, 1, "nested deeper than 24"),
        (b"<html>\n</html>", 1, "<html> is not JUnit XML"),
        (b"<testsuite>\n<failed/></testsuite>", 2, "<failed> has no place in <testsuite>"),
        (b'<testsuite>\n<testcase name="a"><fail/></testcase></testsuite>', 2, "<fail> has no place"),
        (b'<testsuite><testcase name="a"/>\n<testcase/></testsuite>', 2, "no name"),
        (b'<testsuite>\n<testcase name="a" time="fast"/></testsuite>', 2, "no number of seconds"),
        (b'<testsuite>\n<testcase name="a" time="-1"/></testsuite>', 2, "no number of seconds"),
        (b'<testsuite\n tests="x"/>', 1, "is no count"),
        (b'<testsuite tests="2">\n<testcase name="a"/></testsuite>', 1, "declares 2 cases, and 1 stand"),
        (b'<testsuite failures="1">\n<testcase name="a"/></testsuite>', 1, "declares 1 failures and errors, and 0"),
        (b'<testsuite timestamp="yesterday"/>', 1, "no time as ISO 8601"),
    ],
)  # fmt: skip
def test_junit_that_is_not_whole_is_refused_with_its_line(
    data: bytes, line: int, reason: str
) -> None:
    with pytest.raises(Malformed) as caught:
        formats.read(data)
    assert reason in caught.value.reason
    assert caught.value.line == line
    assert caught.value.fields["file"].startswith(f"Line {line}: ")


def test_our_own_form_keeps_every_digit() -> None:
    found = formats.read(results().replace(b"0.871", b"0.8710"))
    assert (found.format, found.outcome, found.tool) == ("results", "passed", "art")
    assert found.metrics[0] == Metric(
        "accuracy under noise", "0.8710", "", 1000, "0.85", "0.89", "0.95", "at least 0.80", passed=True
    )  # fmt: skip
    assert found.ran_at == "2024-11-20T07:00:00+00:00"
    assert (counted(found), found.seconds) == ({"passed": 1}, "1.5")


def test_numbers_without_a_verdict_are_no_pass() -> None:
    bare = [{"name": "auc", "value": 0.8}]
    assert formats.read(results(items=None, metrics=bare)).outcome == "unjudged"
    assert formats.read(results(metrics=[bare[0] | {"passed": False}])).outcome == "failed"
    warned = [{"name": "a", "outcome": "warned"}, {"name": "b", "outcome": "passed"}]
    assert formats.read(results(items=warned)).outcome == "warned"


def _lines(**changes: object) -> bytes:
    return json.dumps(json.loads(results(**changes)), indent=1).encode()


@pytest.mark.parametrize(
    ("data", "line", "reason"),
    [
        (_lines(tool=None), 1, "tool is missing"),
        (_lines(metrics=None, items=None), 1, "one of metrics, items is needed"),
        (_lines(extra=1), 1, "there is no 'extra'"),
        (_lines(items=[{"name": "a", "outcome": "meh"}]), 28, "items.0.outcome is none of passed"),
        (_lines(metrics=[{"name": "a", "value": "0.8"}]), 10, "metrics.0.value is no number"),
        (_lines(metrics=[{"name": "a", "value": 1}, {"name": "a", "value": 2}]), 12, "stands there twice"),
        (_lines(ran_at="2024-11-20T08:00:00"), 6, "names no time zone"),
        (_lines(ran_at="soon"), 6, "no time as ISO 8601"),
        (_lines(items=[]), 25, "items is empty"),
        (_lines(metrics=[{"name": "a", "value": 1, "interval": {"low": 2, "high": 1, "level": 0.9}}]), 8, "low end is above"),
        (_lines(subjects=[{"sha256": "abc"}]), 34, "is not written as"),
        (b'{\n"type": 1,\n"type": 2}', 3, "'type' stands twice in one object"),
        (b'{"a": [\nNaN]}', 2, "NaN is no number in JSON"),
        (b'{"a": 1e999}', 1, "too large"),
        (b'{"a":\n"b', 2, "a text that does not end"),
        (b'{"a": 1,\n', 2, "the document breaks off"),
        (b'{"a": 1,\n}', 2, "expected a key"),
        (b'{"a": "\\u0000"}', 1, "NUL"),
        (b'{"a": "\\ud800"}', 1, "surrogate"),
        (b"[" * 100_000, 1, "nested deeper than 24"),
        ('{"a":\n"é"}'.encode("latin-1"), 2, "0xe9 is not UTF-8"),
        ('{"a": 1}'.encode("utf-16"), 1, "save the file as UTF-8"),
        (b"{}\n{}", 2, "behind the end"),
        (b"[1]", 1, "expected an object"),
        (b'{"hello": 1}', 1, "found an object with the keys hello"),
        (b"PK\x03\x04", 1, "expected a value"),
        (b" \n", 0, "the file is empty"),
        (b"[" + b"1," * 300_001, 1, "more than 300000 values"),
    ],
)  # fmt: skip
def test_json_that_is_not_what_it_has_to_be_is_refused_with_its_line(
    data: bytes, line: int, reason: str
) -> None:
    with pytest.raises(Malformed) as caught:
        formats.read(data)
    assert reason in caught.value.reason
    assert caught.value.line == line


def test_a_test_result_of_in_toto_is_understood() -> None:
    found = formats.read(statement(SHA))
    assert (found.format, found.outcome, counted(found)) == ("intoto", "passed", {"passed": 2})
    assert found.subjects == (Subject("model.bin", SHA, 4),)
    assert found.statement is not None
    assert (found.statement.understood, found.statement.enveloped) == (True, False)


def test_another_predicate_is_kept_and_gives_no_verdict() -> None:
    data = statement(SHA, predicateType="https://slsa.dev/provenance/v1", predicate={"x": 1})
    found = formats.read(data)
    assert found.outcome == "unjudged"
    assert "kept and not understood" in found.remarks[0]


@pytest.mark.parametrize("alphabet", ["standard", "url-safe, no padding"])
def test_an_envelope_is_opened_and_its_signers_are_claims(alphabet: str) -> None:
    data = envelope(statement(SHA))
    if alphabet != "standard":
        said = json.loads(data)
        said["payload"] = said["payload"].replace("+", "-").replace("/", "_").rstrip("=")
        data = json.dumps(said).encode()
    found = formats.read(data)
    assert found.statement is not None
    assert (found.statement.enveloped, found.statement.signers) == (True, ("ci-key-1",))
    assert found.outcome == "passed"


PREDICATE = json.loads(statement(SHA))["predicate"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (statement(SHA, _type="https://in-toto.io/Statement/v0.1"), "_type is not https://in-toto.io/Statement/v1"),
        (statement(SHA, subject=[]), "subject is empty"),
        (statement(SHA, subject=[{"name": "x", "digest": {"sha1": "1"}}]), "sha256 is missing in subject.0.digest"),
        (statement("AB" * 32), "is not written as"),
        (statement(SHA, predicate={"result": "PASSED"}), "configuration is missing"),
        (statement(SHA, predicate=PREDICATE | {"result": "FINE"}), "none of PASSED, WARNED, FAILED"),
        (statement(SHA, predicate=PREDICATE | {"failedTests": ["a"]}), "the result is PASSED, and failedTests names 1"),
        (statement(SHA, predicate=PREDICATE | {"warnedTests": ["a"]}), "warnedTests names 1"),
        (envelope(b"", payload="***"), "is not base64"),
        (envelope(statement(SHA), signatures=[]), "signatures is empty"),
        (envelope(statement(SHA), payloadType="text/plain"), "payloadType is not application/vnd.in-toto+json"),
        (envelope(b'{"a":\n1,"a":2}'), "line 2 of the envelope's payload: the key 'a' stands twice"),
    ],
)  # fmt: skip
def test_a_statement_that_is_not_whole_or_contradicts_itself_is_refused(
    data: bytes, reason: str
) -> None:
    with pytest.raises(Malformed) as caught:
        formats.read(data)
    assert reason in caught.value.reason
    assert caught.value.line > 0


def test_the_same_bytes_give_the_same_reading_and_only_the_first_items_are_kept() -> None:
    many = b"".join(b'<testcase name="n%d"><skipped/></testcase>' % n for n in range(300))
    data = b"<testsuite>" + many + b'<testcase name="last"><failure/></testcase></testsuite>'
    first, second = (reading.to_data(formats.read(data)) for _ in range(2))
    assert reading.digest(first) == reading.digest(second)
    found = reading.from_data(first)
    assert (len(found.items), found.items_left, found.items[0].name) == (200, 101, "last")


def test_the_published_schema_is_one_and_takes_what_the_page_shows() -> None:
    schemas.require(strictjson.read(results()), "results.v1")
    from jsonschema import Draft202012Validator

    for name in ("results.v1", "statement.v1", "test-result.v0.1", "envelope.v1"):
        Draft202012Validator.check_schema(schemas.schema(name))


@given(st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30)
    | st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])), inner),
    max_leaves=20,
))  # fmt: skip
def test_strict_json_agrees_with_the_standard_reader_on_what_both_take(value: object) -> None:
    for indent in (None, 2):
        data = json.dumps(value, indent=indent, ensure_ascii=indent is None).encode()
        assert strictjson.read(data).value == value


@given(
    st.binary(max_size=200)
    | st.text(alphabet="<>{}[]\":,\\ntestsuicas/= '1eE.-", max_size=80).map(str.encode)
)
def test_whatever_arrives_is_read_or_refused_with_a_reason(data: bytes) -> None:
    refused = ""
    try:
        formats.read(data)
    except Malformed as error:
        refused = str(error)
    assert not refused or refused.endswith(".")
