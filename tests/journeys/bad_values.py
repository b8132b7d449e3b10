"""What is put into the doors: every value here must be refused where the table of `test_bad_input` sends it.

A form's text may be bytes: they are sent percent-encoded as they are.
"""

from __future__ import annotations

import gzip
import io
import json
import pickle
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

MEGABYTE: Final = "x" * 1_000_000
Values = dict[str, Any]

# --- JSON ---------------------------------------------------------------------------------------

BODIES: Final[dict[str, bytes]] = {
    "not JSON": b"{bad",
    "half of JSON": b'{"name": "a',
    "a list": b"[]",
    "null": b"null",
    "not UTF-8": b'{"name": "\xff\xfe"}',
    "UTF-16": '{"name": "x"}'.encode("utf-16"),
    "a NUL byte": b"\x00",
    "an escaped lone surrogate": b'{"name": "\\ud800"}',
    "a lone surrogate in bytes": b'{"name": "\xed\xa0\x80"}',
    "bare NaN": b'{"name": NaN}',
    "bare infinity": b'{"start_time": -Infinity}',
    "lists without end": b"[" * 100_000,
    "objects without end": b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    "a number without end": b'{"start_time": ' + b"9" * 100_000 + b"}",
    "17 MB": b'{"name": "' + b"x" * (17 * 1024 * 1024) + b'"}',
}
NO_TEXT: Final[Values] = {
    "a number": 7,
    "true": True,
    "a list": ["a"],
    "an object": {"a": "b"},
    "a NUL": "a\x00b",
    "a lone surrogate": "\ud800",
}
NAME: Final[Values] = NO_TEXT | {"nothing": "", "1 MB": MEGABYTE, "a line break": "a\r\nX-Evil: 1"}
TEXT: Final[Values] = NO_TEXT | {"1 MB": MEGABYTE}
QUERY: Final[Values] = NO_TEXT | {"no filter": "nonsense (", "1 MB": MEGABYTE}
ID: Final[Values] = NO_TEXT | {
    "nothing": "",
    "words": "one",
    "1.5": "1.5",
    "-1": "-1",
    "2**63": str(2**63),
    "forty digits": "9" * 40,
    "a path": "../1",
    "not ASCII": "²",
    "1 MB": MEGABYTE,
}
# An empty one stands for the default.
FILLED_ID: Final[Values] = {name: value for name, value in ID.items() if name != "nothing"}
FILLED_NAME: Final[Values] = {name: value for name, value in NAME.items() if name != "nothing"}
WHOLE: Final[Values] = {
    "words": "now",
    "true": True,
    "1.5": 1.5,
    "NaN": "NaN",
    "infinity": float("inf"),
    "a list": [1],
    "2**63": 2**63,
    "forty digits": 10**40,
    "1 MB": MEGABYTE,
}
NUMBER: Final[Values] = {
    "words": "high",
    "true": True,
    "bare NaN": float("nan"),
    "bare infinity": float("-inf"),
    "a list": [1.0],
    "an object": {},
    "1 MB": MEGABYTE,
    "400 digits": 10**400,
}
CHOICE: Final[Values] = NO_TEXT | {"none of them": "Nirvana", "1 MB": MEGABYTE}
LIST: Final[Values] = {
    "a number": 7,
    "text": "abc",
    "an object": {"key": "a"},
    "list of numbers": [1],
    "list of lists": [[]],
    "a list of null": [None],
    "a key of NUL": [{"key": "a\x00", "value": "1", "timestamp": 1}],
}

# --- artifact paths -----------------------------------------------------------------------------

PATHS: Final[dict[str, str]] = {
    "plain": "../../../etc/passwd",
    "half-way": "model/../../x",
    "encoded": "%2e%2e/%2e%2e/x",
    "encoded slash": "..%2f..%2fx",
    "encoded twice": "%252e%252e%252fx",
    "encoded three times": "%25252e%25252e/x",
    "backslash": "..\\..\\x",
    "encoded backslash": "..%5c..%5cx",
    "absolute": "//etc/passwd",
    "encoded absolute": "%2fetc%2fpasswd",
    "a drive": "C:/x",
    "a scheme": "file:%2f%2f%2fetc/passwd",
    "a NUL": "a%00b",
    "a line break": "a%0d%0ab",
    "not UTF-8": "%ff%fe",
    "too long": "x" * 2_000,
    "a dot": "./x",
}

# --- forms --------------------------------------------------------------------------------------

_BROKEN: Final[Values] = {
    "a NUL": "a\x00b",
    "not UTF-8": b"a\xff\xfe",
    "surrogate": b"a\xed\xa0\x80",
}
F_TEXT: Final[Values] = _BROKEN | {"nothing": "", "blanks": "  \r\n ", "1 MB": MEGABYTE}
F_FREE: Final[Values] = _BROKEN | {"1 MB": MEGABYTE}
F_DAY: Final[Values] = _BROKEN | {
    "over": "2020-01-31",
    "none": "2027-02-30",
    "in words": "tomorrow",
    "1 MB": MEGABYTE,
}
F_LINE: Final[Values] = F_TEXT | {"a line break": "a\r\nX-Evil: 1", "backwards": "a\u202eb"}
F_CHOICE: Final[Values] = _BROKEN | {
    "nothing": "",
    "none of them": "Nirvana",
    "a number too many": str(2**63),
    "1 MB": MEGABYTE,
}
F_REVISION: Final[Values] = _BROKEN | {
    "words": "one",
    "-1": "-1",
    "2**63": str(2**63),
    "infinity": "inf",
    "not ASCII": "²",
    "5000 digits": "9" * 5_000,
    "one that is not": "7",
}
F_BODIES: Final[dict[str, tuple[bytes, str]]] = {
    "nothing": (b"", "application/x-www-form-urlencoded"),
    "JSON": (b'{"name": "x"}', "application/json"),
    "no kind": (b"name=x", ""),
    "not UTF-8": (b"\xff\xfe=\xff", "application/x-www-form-urlencoded"),
    "an unknown encoding": (b"name=x", "application/x-www-form-urlencoded; charset=klingon"),
    "5000 fields": (b"a=1&" * 5_000, "application/x-www-form-urlencoded"),
    "17 MB": (b"a=" + b"x" * 17 * 1024 * 1024, "application/x-www-form-urlencoded"),
    "multipart without boundary": (b"--x\r\n\r\n", "multipart/form-data"),
    "multipart of nothing": (b"nonsense", "multipart/form-data; boundary=x"),
    "multipart that breaks off": (
        b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\nhal',
        "multipart/form-data; boundary=x",
    ),
}
# As a query of a list: shown as if nothing had been asked, or refused; never a fault.
QUERIES: Final[dict[str, str]] = {
    "a NUL": "%00",
    "not UTF-8": "%ff%fe",
    "a lone surrogate": "%ed%a0%80",
    "a negative number": "-1",
    "2**63": str(2**63),
    "twenty digits": "9" * 20,
    "5000 digits": "9" * 5_000,
    "not ASCII": "%c2%b2",
    "a line break": "a%0d%0aX-Evil:+1",
    "SQL": "%27;+DROP+TABLE+x;--",
    "wildcards": "%25_%5c",
    "long": "x" * 60_000,
    "a path": "..%2f..%2f",
}

# --- files --------------------------------------------------------------------------------------


def parquet(**columns: list[Any]) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


DATA: Final = b"y,p,s,g\n" + b"1,1,0.9,a\n0,0,0.1,b\n1,0,0.8,a\n0,1,0.2,b\n" * 10
_PARQUET: Final = parquet(y=[1, 0] * 9, p=[1, 0] * 9, s=[0.9, 0.1] * 9, g=["a", "b"] * 9)
DATA_FILES: Final[dict[str, bytes]] = {
    "empty": b"",
    "blank lines": b"\n\n",
    "header only": b"y,p,s,g\n",
    "a missing column": b"y,p,g\n1,1,a\n0,0,b\n",
    "a column not numeric": b"y,p,s,g\n1,1,high,a\n0,0,low,b\n",
    "a column twice": b"y,p,s,g,y\n1,1,0.9,a,1\n0,0,0.1,b,0\n",
    "a row too short": b"y,p,s,g\n1,1,0.9,a\n0\n",
    "scores of NaN": b"y,p,s,g\n1,1,NaN,a\n0,0,NaN,b\n",
    "three outcomes": b"y,p,s,g\n1,1,0.9,a\n0,0,0.1,b\n2,1,0.5,a\n",
    "not UTF-8": b"y,p,s,g\n1,1,0.9,\xff\xfe\n0,0,0.1,b\n",
    "a NUL": b"y,p,s,g\n1,1,0.9,\x00\n0,0,0.1,b\n",
    "compressed": gzip.compress(DATA),
    "truncated Parquet": _PARQUET[:-20],
    "Parquet without an end": _PARQUET[: len(_PARQUET) // 2],
    "Parquet without rows": parquet(y=[], p=[], s=[], g=[]),
    "Parquet of other columns": parquet(a=[1, 0]),
    "a picture": b"\x89PNG\r\n\x1a\n" + bytes(200),
}
MODEL_FILES: Final[dict[str, tuple[str, bytes]]] = {
    "empty": ("model.bin", b""),
    "a pickle that is text": ("model.pkl", b"no pickle"),
    "a pickle that breaks off": ("model.pkl", pickle.dumps([1, 2, 3])[:-1]),
    "an ONNX that is none": ("model.onnx", b"\x00\x01"),
    "Parquet that breaks off": ("sample.parquet", _PARQUET[:-4]),
    "JSON that is none": ("signature.json", b"{"),
    "JSON without end": ("signature.json", b"[" * 100_000),
    "MLmodel without flavours": ("MLmodel", b"a: 1\n"),
    "YAML that multiplies itself": (
        "MLmodel",
        b"a: &a [x]\n" + b"".join(f"k{n}: &k{n} [*a,*a]\n".encode() for n in range(9)),
    ),
    "a number without end": ("signature.json", json.dumps({"a": 1})[:-2].encode() + b"9" * 5_000 + b"}"),
    "text of another encoding": ("requirements.txt", b"\xff\xfe"),
    "a path that climbs": ("../../etc/x.bin", b"x"),
    "a path encoded": ("..%2f..%2fx.bin", b"x"),
    "a path by backslash": ("..\\..\\x.bin", b"x"),
    "an absolute path": ("/etc/../x.bin", b"x"),
    "a name too long": ("x" * 2_000 + ".bin", b"x"),
}  # fmt: skip
