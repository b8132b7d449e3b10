"""Results files as tools write them, and as they arrive when something went wrong."""

from __future__ import annotations

import base64
import json
from typing import Any

PYTEST = b"""<?xml version="1.0" encoding="utf-8"?>
<testsuites name="pytest tests"><testsuite name="pytest" errors="0" failures="1" skipped="1" tests="3" time="0.412"
 timestamp="2024-11-01T10:00:00.5+00:00" hostname="ci-7">
<testcase classname="tests.test_score" name="test_range" time="0.100" />
<testcase classname="tests.test_score" name="test_monotone" time="0.200"><failure message="assert 0.61 &lt;= 0.60">def
 test_monotone(): ...</failure></testcase>
<testcase classname="tests.test_score" name="test_gpu" time="0.000"><skipped type="pytest.skip" message="no GPU" /></testcase>
</testsuite></testsuites>
"""
PASSING = b'<testsuite name="smoke" tests="2"><testcase name="a" time="0.1"/><testcase name="b" time="0.2"/></testsuite>'
SURE = b"""<testsuite name="Surefire" tests="2" failures="0" errors="0" time="1,204.5">
<testcase name="flaky" classname="k" time="1,203.5"><flakyFailure message="once"/></testcase>
<testcase name="steady" classname="k" time="1"/></testsuite>"""
GTEST = b"""<testsuites tests="2" failures="0" disabled="1" errors="0" name="AllTests"><testsuite name="Model" tests="2"
 failures="0" disabled="1" errors="0"><testcase name="Loads" status="run" result="completed" time="0." classname="Model" />
<testcase name="DISABLED_Slow" status="notrun" result="suppressed" time="0." classname="Model" /></testsuite></testsuites>"""

# Grows to 10^9 times "lol" in a parser that expands entities.
LAUGHS = (
    b'<?xml version="1.0"?>\n<!DOCTYPE lolz [\n<!ENTITY lol "lol">\n'
    + b"".join(
        b'<!ENTITY lol%d "%s">\n' % (n, b"&lol%d;" % (n - 1) * 10 if n > 1 else b"&lol;" * 10)
        for n in range(1, 10)
    )
    + b']>\n<testsuite><testcase name="&lol9;"/></testsuite>'
)
OUTSIDE = b'<!DOCTYPE t [<!ENTITY x SYSTEM "file:///etc/passwd">]><testsuite><testcase name="&x;"/></testsuite>'


def results(**changes: Any) -> bytes:
    """Our own form; `None` leaves a member out."""
    said: dict[str, Any] = {
        "type": "countersign.results.v1",
        "name": "robustness",
        "tool": "art",
        "tool_version": "1.18",
        "ran_at": "2024-11-20T08:00:00+01:00",
        "metrics": [
            {
                "name": "accuracy under noise",
                "value": 0.8710,
                "n": 1000,
                "interval": {"low": 0.85, "high": 0.89, "level": 0.95},
                "limit": "at least 0.80",
                "passed": True,
            },
            {"name": "queries", "value": 250},
        ],
        "items": [{"name": "FGSM", "outcome": "passed", "seconds": 1.5}],
    } | changes
    return json.dumps({key: value for key, value in said.items() if value is not None}).encode()


def statement(sha256: str, **changes: Any) -> bytes:
    """An in-toto statement with a test result about one file."""
    said = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "model.bin", "digest": {"sha256": sha256}}],
        "predicateType": "https://in-toto.io/attestation/test-result/v0.1",
        "predicate": {
            "result": "PASSED",
            "configuration": [{"name": ".github/workflows/test.yml"}],
            "url": "https://ci.example.org/runs/7",
            "passedTests": ["(3.11) unit", "(3.12) unit"],
            "warnedTests": [],
            "failedTests": [],
        },
    } | changes
    return json.dumps(said, indent=1).encode()


def envelope(payload: bytes, /, **changes: Any) -> bytes:
    """The statement in a DSSE envelope with a signature that nobody made."""
    said = {
        "payloadType": "application/vnd.in-toto+json",
        "payload": base64.b64encode(payload).decode(),
        "signatures": [{"keyid": "ci-key-1", "sig": base64.b64encode(b"not one").decode()}],
    } | changes
    return json.dumps(said).encode()
