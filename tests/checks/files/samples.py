"""Files that do harm when they are loaded, and files that do not, made in memory by code: none is kept anywhere.

The harmful ones call `os.system` and its like with a text that does nothing. Each function gives one file;
HARMFUL and HARMLESS name them all. docs/checks/files.md counts what the scan makes of them (tools/scan_table.py).
"""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import pickle
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable

import joblib
import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.compose import make_column_transformer
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC

COMMAND = "true"  # what the harmful samples would run


class Calls:
    """Pickles as a call of something by its name, without importing it."""

    def __init__(self, module: str, name: str, *args: object) -> None:
        self.target, self.args = (module, name), args

    def stream(self, protocol: int = 0) -> bytes:
        """Protocol 0 to 5, as the pickler of Python would write it."""
        module, name = (part.encode() for part in self.target)
        arguments = pickle.dumps(self.args, protocol=0)[:-1]
        if protocol < 4:
            head = b"" if protocol < 2 else b"\x80" + bytes([protocol])
            return head + b"c" + module + b"\n" + name + b"\n" + arguments + b"R."
        body = text(module) + b"\x94" + text(name) + b"\x94\x93\x94" + arguments + b"R\x94."
        return b"\x80" + bytes([protocol]) + b"\x95" + struct.pack("<Q", len(body)) + body


def text(word: bytes) -> bytes:
    """A short text of protocol 4."""
    return b"\x8c" + bytes([len(word)]) + word


SYSTEM = Calls("os", "system", COMMAND)


def zipped(members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def tarred(members: dict[str, bytes], links: dict[str, str] | None = None) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        for name, target in (links or {}).items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, target
            archive.addfile(info)
    return buffer.getvalue()


def torch(pickled: bytes, storage: bytes = b"\0" * 400, **extra: bytes) -> bytes:
    """A zip in the form of PyTorch's."""
    members = {"archive/data.pkl": pickled, "archive/byteorder": b"little", "archive/data/0": storage, "archive/version": b"3\n"}  # fmt: skip
    return zipped({**members, **{f"archive/{name}": data for name, data in extra.items()}})


def torch_tensor() -> bytes:
    """The pickle of one tensor of 100 numbers."""
    return (
        b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\nq\x00((X\x07\x00\x00\x00storageq\x01ctorch\nFloatStorage\nq\x02"
        b"X\x01\x00\x00\x000q\x03X\x03\x00\x00\x00cpuq\x04KdtQK\x00Kd\x85K\x01\x85\x89ccollections\nOrderedDict\n)Rtq\x05R."
    )


def joblibbed(value: object, compress: object = 0) -> bytes:
    buffer = io.BytesIO()
    joblib.dump(value, buffer, compress=compress)
    return buffer.getvalue()


class Harm:
    """A real object whose pickle calls something: for picklers that want one."""

    def __reduce__(self) -> tuple[object, ...]:
        import os

        return (os.system, (COMMAND,))


def memo_global() -> bytes:
    """Module and name come from the memo, with other things between."""
    return (
        b"\x80\x04"
        + text(b"system")
        + b"\x94"
        + text(b"os")
        + b"\x940h\x01h\x00\x93"
        + text(b"true")
        + b"\x85R."
    )


def named(line: str, *args: bytes) -> bytes:
    return b"c" + line.replace(" ", "\n").encode() + b"\n" + b"".join(args)


def inst() -> bytes:
    return b"(S'true'\nios\nsystem\n."


def obj() -> bytes:
    return b"(cos\nsystem\nS'true'\no."


def newobj() -> bytes:
    return b"\x80\x02csubprocess\nPopen\nX\x04\x00\x00\x00true\x85\x81."


def newobj_ex() -> bytes:
    return b"\x80\x04csubprocess\nPopen\n\x8c\x04true\x85}\x92."


def build() -> bytes:
    """The state of a listed class is set by a call."""
    return b"ccollections\nOrderedDict\n)Rcos\nsystem\n(S'true'\ntRb."


def getattr_import() -> bytes:
    return b"cbuiltins\ngetattr\n(cimportlib\nimport_module\n(S'os'\ntRS'system'\ntR(S'true'\ntR."


def computed_name() -> bytes:
    """The module's name is put together while loading."""
    return b"\x80\x04cbuiltins\nstr\n(S'os'\ntR\x8c\x06system\x93(S'true'\ntR."


def dotted() -> bytes:
    return b"\x80\x04" + text(b"sklearn.utils") + text(b"os.system") + b"\x93(S'true'\ntR."


def extension() -> bytes:
    return b"\x80\x02\x82\x01(S'true'\ntR."


def padded(count: int) -> bytes:
    """Far behind a long text without a protocol mark."""
    return b"(S'" + b"x" * count + b"'\n0" + SYSTEM.stream(0)


def dup_pop() -> bytes:
    return b"cos\nsystem\n20(S'true'\ntR."


def second_pickle() -> bytes:
    return pickle.dumps([1, 2, 3]) + SYSTEM.stream(4)


def object_array() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.array([Harm()], dtype=object), allow_pickle=True)
    return buffer.getvalue()


def joblib_polyglot() -> bytes:
    """What joblib takes for numbers of an array, a plain unpickler takes for opcodes."""
    good = joblibbed(np.zeros(200, dtype="u1"))
    at = good.rindex(b"ub") + 2  # joblib pads from here: how much, so many bytes, then the numbers
    padding = good[at]
    payload = SYSTEM.stream(0)  # its first byte, a "c", says how much joblib skips
    return good[:at] + payload.ljust(1 + payload[0] + 200, b"\0") + good[at + 1 + padding + 200 :]


def joblib_desync() -> bytes:
    """The wrapper of an array is made by a detour, so that a reader who does not know it reads on elsewhere."""
    made = b"\x80\x04ccopyreg\n_reconstructor\n(cjoblib.numpy_pickle\nNumpyArrayWrapper\ncbuiltins\nobject\nNtR"
    dtype = b"cnumpy\ndtype\n(S'u1'\nI00\nI01\ntR(K\x03S'|'\nNNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    state = b"}(S'shape'\nK\x08\x85S'order'\nS'C'\nS'allow_mmap'\nI00\nS'subclass'\ncnumpy\nndarray\nS'dtype'\n" + dtype + b"ub"  # fmt: skip
    # joblib takes eight bytes for the array and goes on with the call; here they begin a text of 64 bytes
    hidden = b"B\x40\x00\x00\x00ab0" + SYSTEM.stream(0)
    return made + state + hidden.ljust(69, b"0") + b"."


def two_readers() -> bytes:
    """A pickle at its start, a zip archive at its end."""
    return pickle.dumps({"a": 1}) + zipped({"model.pkl": SYSTEM.stream(4)})


def keras(layer: dict[str, object]) -> bytes:
    config = {"class_name": "Sequential", "config": {"layers": [layer]}, "module": "keras"}
    return zipped({"config.json": json.dumps(config).encode(), "metadata.json": b"{}"})


def deep(data: bytes, levels: int) -> bytes:
    for _ in range(levels):
        data = zipped({"a.zip": data})
    return data


def bomb() -> bytes:
    """200 MiB of nothing in 200 kB."""
    return gzip.compress(b"\0" * (200 * 1024 * 1024), 1)


def encrypted() -> bytes:
    data = bytearray(zipped({"model.pkl": SYSTEM.stream(4)}))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def wrong_sum() -> bytes:
    """The checksum of the member is wrong: some readers do not look."""
    data = bytearray(torch(SYSTEM.stream(2)))
    at = data.index(b"PK\x01\x02")
    data[at + 16] ^= 0xFF
    data[14] ^= 0xFF
    return bytes(data)


def unlisted_member() -> bytes:
    """A member that the directory does not name."""
    inner = zipped({"model.pkl": SYSTEM.stream(4)})
    body = inner[: inner.index(b"PK\x01\x02")]
    return zipped({"readme.txt": b"hello"}).replace(b"PK\x01\x02", body + b"PK\x01\x02", 1)


FUNCTIONS = (
    ("os", "system"), ("posix", "system"), ("nt", "system"), ("subprocess", "Popen"), ("subprocess", "check_output"),
    ("builtins", "eval"), ("builtins", "exec"), ("builtins", "compile"), ("builtins", "__import__"), ("__builtin__", "eval"),
    ("commands", "getoutput"), ("runpy", "run_path"), ("timeit", "timeit"), ("pip", "main"), ("pip._internal", "main"),
    ("shutil", "rmtree"), ("webbrowser", "open"), ("socket", "create_connection"), ("urllib.request", "urlopen"),
    ("urllib2", "urlopen"), ("importlib", "import_module"), ("pkgutil", "resolve_name"), ("pickle", "loads"), ("cPickle", "loads"),
    ("marshal", "loads"), ("types", "CodeType"), ("ctypes", "CDLL"), ("code", "interact"), ("cProfile", "run"), ("bdb", "Bdb.run"),
    ("asyncio", "run"), ("multiprocessing", "Process"), ("operator", "attrgetter"), ("functools", "partial"),
    ("cloudpickle.cloudpickle", "_make_function"), ("dill._dill", "_create_function"), ("numpy", "load"),
    ("numpy.testing._private.utils", "runstring"), ("numpy.f2py.crackfortran", "getlincoef"), ("torch", "load"), ("torch.hub", "load"),
    ("joblib", "load"), ("pandas", "read_pickle"), ("pty", "spawn"), ("pdb", "run"), ("doctest", "debug_script"), ("smtplib", "SMTP"),
    ("sys", "exit"), ("logging", "FileHandler"), ("uuid", "_get_command_stdout"), ("venv", "create"), ("idlelib.pyshell", "ModifiedInterpreter.runcode"),
    ("torch.jit", "load"), ("lib2to3.pgen2.grammar", "Grammar.loads"), ("ensurepip", "_run_pip"), ("site", "main"), ("some_package", "run"),
)  # fmt: skip

HARMFUL: dict[str, Callable[[], bytes]] = {
    **{f"{module}.{name}": Calls(module, name, "true").stream for module, name in FUNCTIONS},
    **{f"os.system, protocol {p}": (lambda p=p: SYSTEM.stream(p)) for p in range(6)},
    "joblib, plain": lambda: joblibbed(Harm()),
    **{f"joblib, {form}": (lambda form=form: joblibbed(Harm(), (form, 3))) for form in ("zlib", "gzip", "bz2", "xz", "lzma")},
    "joblib, an array of objects": lambda: joblibbed({"w": np.array([Harm()], dtype=object)}),
    "joblib, opcodes in an array": joblib_polyglot,
    "joblib, wrapper by a detour": joblib_desync,
    "zlib in gzip in bz2": lambda: bz2.compress(gzip.compress(zlib.compress(SYSTEM.stream(2)))),
    "two gzip streams, harm in the second": lambda: gzip.compress(b"hello") + gzip.compress(SYSTEM.stream(2)),
    "NumPy array of objects": object_array,
    "npz with an array of objects": lambda: zipped({"a.npy": object_array()}),
    "STACK_GLOBAL from the memo": memo_global,
    "INST": inst, "OBJ": obj, "NEWOBJ": newobj, "NEWOBJ_EX": newobj_ex, "BUILD": build,
    "getattr of import_module": getattr_import,
    "a name that is computed": computed_name,
    "a dotted name through a listed module": dotted,
    "extension registry": extension,
    "DUP and POP": dup_pop,
    "behind 9 kB of text": lambda: padded(9000),
    "behind 2 MB of text": lambda: padded(2_000_000),
    "broken after the call": lambda: SYSTEM.stream(2)[:-1] + b"\xff\xff\xff",
    "truncated after the call": lambda: SYSTEM.stream(4)[:-1],
    "second pickle of the file": second_pickle,
    "PyTorch zip": lambda: torch(SYSTEM.stream(2)),
    "PyTorch zip with a zip in it": lambda: torch(torch_tensor(), **{"extra.zip": zipped({"x.pkl": SYSTEM.stream(2)})}),
    "PyTorch zip, harm in a storage": lambda: torch(torch_tensor(), SYSTEM.stream(2)),
    "PyTorch zip, wrong checksum": wrong_sum,
    "zip, deflated": lambda: zipped({"model.pkl": SYSTEM.stream(4)}, zipfile.ZIP_DEFLATED),
    "zip, LZMA": lambda: zipped({"model.pkl": SYSTEM.stream(4)}, zipfile.ZIP_LZMA),
    "zip in zip in zip": lambda: deep(zipped({"m.pkl": SYSTEM.stream(2)}), 2),
    "zip, a member not in its directory": unlisted_member,
    "zip, encrypted": encrypted,
    "zip, a path that leads out": lambda: zipped({"../../etc/cron.d/x": b"hello"}),
    "zip, an absolute path": lambda: zipped({"/etc/x": b"hello"}),
    "tar": lambda: tarred({"model.pkl": SYSTEM.stream(3)}),
    "tar.gz": lambda: gzip.compress(tarred({"model.pkl": SYSTEM.stream(3)})),
    "tar, a link that leads out": lambda: tarred({}, {"x": "../../etc/passwd"}),
    "pickle and zip in one": two_readers,
    "text and zip in one": lambda: b"hello, world\n" + zipped({"m.pkl": SYSTEM.stream(2)}),
    "a thousand times over (ratio)": bomb,
    "nested too deep": lambda: deep(zipped({"m.pkl": SYSTEM.stream(2)}), 12),
    "Keras Lambda layer": lambda: keras({"class_name": "Lambda", "config": {"function": ["4wEAAAA="]}}),
    "Keras, a function of another module": lambda: keras({"class_name": "function", "config": "system", "module": "os"}),
    "Keras, JSON alone": lambda: json.dumps({"class_name": "Lambda"}).encode(),
    "skops, a function of os": lambda: zipped({"schema.json": json.dumps({"__module__": "os", "__class__": "system", "__loader__": "FunctionNode"}).encode()}),
    "YAML with a Python tag": lambda: b"a: !!python/object/apply:os.system ['true']\n",
    "Linux program": lambda: b"\x7fELF\x02\x01\x01" + b"\0" * 200,
    "Windows program": lambda: b"MZ" + b"\0" * 58 + struct.pack("<I", 64) + b"PE\0\0" + b"\0" * 100,
    "shell script": lambda: b"#!/bin/sh\ntrue\n",
    "a private key": lambda: b"notes\n-----BEGIN " + b"RSA PRIVATE KEY-----\nMIIE\n",
    "an AWS key": lambda: b'{"key": "AK' + b'IAQ4J7XN2ZTB3WLM5P"}',
    "a key in a pickle": lambda: pickle.dumps({"token": "ghp" + "_" + "a1B2" * 9}),
    "HDF5": lambda: b"\x89HDF\r\n\x1a\n" + b"\0" * 100,
    "LZ4": lambda: b"\x04\x22\x4d\x18" + b"\0" * 100,
    "Python source": lambda: b"import os\nos.system('true')\n",
    "ONNX, data outside": lambda: onnx(b"../../etc/passwd"),
}  # fmt: skip
NAMES = {
    "Python source": "code/model.py"
}  # where the name is what tells; all others are called model.bin


def onnx(location: bytes = b"") -> bytes:
    """A model of one tensor, by hand: fields of protobuf with their lengths."""

    def nested(number: int, data: bytes) -> bytes:
        return bytes([number << 3 | 2, len(data)]) + data

    entry = nested(1, b"location") + nested(2, location)
    tensor = nested(8, b"w") + (nested(13, entry) if location else nested(9, b"\0" * 8))
    graph = nested(2, b"main") + nested(5, tensor)
    return b"\x08\x08" + nested(2, b"pytorch") + nested(7, graph) + nested(8, b"\x10\x11")


def _data() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(7)
    x = rng.normal(size=(120, 4))
    return x, (x[:, 0] + rng.normal(size=120) > 0).astype(int)


def fitted() -> dict[str, object]:
    """Models as people train them."""
    x, y = _data()
    frame = pd.DataFrame({"a": x[:, 0], "b": ["p", "q"] * 60})
    return {
        "logistic regression": LogisticRegression().fit(x, y),
        "pipeline": make_pipeline(StandardScaler(), SVC()).fit(x, y),
        "columns": make_column_transformer((OneHotEncoder(), ["b"]), (StandardScaler(), ["a"])).fit(
            frame
        ),
        "random forest": RandomForestClassifier(8, random_state=0).fit(x, y),
        "gradient boosting": GradientBoostingClassifier(n_estimators=8).fit(x, y),
        "histogram boosting": HistGradientBoostingClassifier(max_iter=8).fit(x, y),
        "neighbours": KNeighborsClassifier().fit(x, y),
    }


def safetensors() -> bytes:
    header = json.dumps(
        {"w": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}, "__metadata__": {"a": "b"}}
    )
    return struct.pack("<Q", len(header)) + header.encode() + b"\0" * 16


def npz() -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, a=np.arange(6.0), b=np.array(["x", "yy"]))
    return buffer.getvalue()


def parquet() -> bytes:
    buffer = io.BytesIO()
    pd.DataFrame({"a": [1, 2]}).to_parquet(buffer)
    return buffer.getvalue()


def skops() -> bytes:
    schema = {"__module__": "sklearn.linear_model._logistic", "__class__": "LogisticRegression", "__loader__": "ObjectNode"}  # fmt: skip
    return zipped({"schema.json": json.dumps(schema).encode()}, zipfile.ZIP_DEFLATED)


def torch_legacy() -> bytes:
    """PyTorch's form before 1.6: five pickles, then numbers."""
    parts: tuple[object, ...] = (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True})
    head = b"".join(pickle.dumps(part, protocol=2) for part in parts)
    return head + torch_tensor() + pickle.dumps(["0"], protocol=2) + struct.pack("<q", 100) + b"\x01\x02" * 200  # fmt: skip


def _harmless() -> dict[str, Callable[[], bytes]]:
    models = fitted()
    found: dict[str, Callable[[], bytes]] = {}
    for name, model in models.items():
        for protocol in range(6):
            found[f"{name}, pickle {protocol}"] = lambda m=model, p=protocol: pickle.dumps(m, p)
        found[f"{name}, joblib"] = lambda m=model: joblibbed(m)
        for form in ("zlib", "gzip", "bz2", "xz", "lzma"):
            found[f"{name}, joblib {form}"] = lambda m=model, f=form: joblibbed(m, (f, 3))
    return found


HARMLESS: dict[str, Callable[[], bytes]] = {
    **_harmless(),
    "large array, pickle 5": lambda: pickle.dumps(np.ones(300_000), 5),
    "large array, joblib": lambda: joblibbed({"w": np.ones(300_000), "b": np.ones((3, 4), order="F")}),
    "sparse matrix": lambda: pickle.dumps(sparse.csr_matrix(np.eye(5))),
    "random state": lambda: pickle.dumps(np.random.RandomState(3)),
    "plain values": lambda: pickle.dumps({"a": [1, 2.5, None, "text", b"bytes"], "b": {1, 2}}),
    "protocol 0, plain values": lambda: pickle.dumps({"a": [1, 2.5, "text"]}, 0),
    "PyTorch zip": lambda: torch(torch_tensor(), np.random.default_rng(1).bytes(4000)),
    "PyTorch, old form": torch_legacy,
    "safetensors": safetensors,
    "ONNX": onnx,
    "NumPy array": lambda: npy(np.arange(5)),
    "npz": npz,
    "Parquet": parquet,
    "skops": skops,
    "XGBoost JSON": lambda: json.dumps({"learner": {"gradient_booster": {"name": "gbtree"}}, "version": [2, 1, 0]}).encode(),
    "LightGBM text": lambda: b"tree\nversion=v4\nnum_class=1\nfeature_names=a b\n\nTree=0\nnum_leaves=2\n",
    "MLmodel": lambda: b"flavors:\n  sklearn:\n    pickled_model: model.pkl\n    serialization_format: cloudpickle\n",
    "requirements": lambda: b"scikit-learn==1.7.2\npandas\ncloudpickle==3.1.1\n",
    "CSV": lambda: b"city,count\ncalais,3\nRouen,4\n",
    "words": lambda: b"cat\ndog\nRaven\nimpala\nos\nsystem\n",
    "Keras without code": lambda: keras({"class_name": "Dense", "module": "keras.layers", "config": {"units": 3}}),
    "tar of text": lambda: tarred({"a/readme.txt": b"hello", "a/b.json": b"{}"}),
    "zip of zip of text": lambda: deep(zipped({"a.txt": b"hello"}), 2),
    "xz of text": lambda: lzma.compress(b"hello\n" * 100),
    "empty file": lambda: b"",
}  # fmt: skip


def npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()
