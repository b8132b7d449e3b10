"""Is a name that a pickle imports known to be harmless? An allow-list; what is not on it is "unlisted".

1 picklescan's list of dangerous names and a few of ours: dangerous, whoever lists them. 2 A dotted name reaches
through a module into what that imported: never listed. 3 The list below: exact names, and for a few estimator
libraries class names (capital first letter) outside of their tests. 4 Anything else is unlisted.

A name on the list is one that builds data when it is called as pickle calls it. It is not a proof that the library
behind it has no fault.
"""

from __future__ import annotations

import _compat_pickle
import functools
import io
import logging
import re
from collections.abc import Iterator

from picklescan.scanner import SafetyLevel, scan_pickle_bytes

from apps.checks.files.report import DANGEROUS, LISTED, UNLISTED

logging.getLogger("picklescan").setLevel(logging.CRITICAL)  # what it finds is stored, not logged

_IDENTIFIER = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")
_CLASS = re.compile(r"_?[A-Z]\w*|__pyx_unpickle_[A-Z]\w*")
_TESTING = re.compile(r"(^|\.)(_?tests?|_?testing|conftest|externals|datasets|__main__)(\.|$)")
# Beside picklescan's: what imports, reads or runs by name.
_DANGEROUS: dict[str, set[str] | None] = {
    "importlib": None, "imp": None, "zipimport": None, "codeop": None, "multiprocessing": None, "joblib.externals": None,
    "cloudpickle": None, "dill": None, "marshal": None, "ftplib": None, "smtplib": None, "telnetlib": None,
    "http.client": None, "http.server": None, "urllib.request": None, "xmlrpc": None, "sqlite3": None,
    "tempfile": None, "glob": None, "fileinput": None, "linecache": None, "signal": None, "threading": None,
    "concurrent": None, "tkinter": None, "gc": None, "inspect": None, "atexit": None, "readline": None,
    "builtins": {"__import__", "delattr", "setattr", "globals", "locals", "vars", "input", "exit", "quit", "help", "execfile", "file"},
    "types": {"FunctionType", "LambdaType", "MethodType", "ModuleType", "CodeType"},
    "functools": {"partial", "reduce", "partialmethod", "singledispatch"},
    "code": {"interact", "InteractiveConsole", "InteractiveInterpreter"},
    "torch": {"load", "hub"}, "torch.hub": None, "torch.jit": None, "torch.package": None,
    "torch.utils.cpp_extension": None, "torch._inductor": None, "torch._dynamo": None,
    "joblib": {"load"}, "joblib.numpy_pickle": {"load"}, "numpy": {"load", "loadtxt", "fromfile", "memmap", "save"},
    "pandas": {"read_pickle", "eval"}, "pandas.io.pickle": None, "sklearn.utils._testing": None,
    "ast": {"literal_eval"}, "copyreg": {"pickle", "constructor"}, "codecs": {"open"}, "io": {"open", "open_code", "FileIO"},
    "pathlib": {"PosixPath.write_text"}, "optparse": None, "platform": {"popen"}, "site": None, "setuptools": None, "pkg_resources": None,
}  # fmt: skip
_LISTED: dict[str, set[str]] = {
    "builtins": {"set", "frozenset", "list", "dict", "tuple", "bytes", "bytearray", "str", "complex", "object", "slice", "range", "int", "float", "bool"},
    "collections": {"OrderedDict", "defaultdict", "deque", "Counter"},
    "copyreg": {"_reconstructor", "__newobj__", "__newobj_ex__"},
    "_codecs": {"encode"},
    "datetime": {"datetime", "date", "time", "timedelta", "timezone"},
    "decimal": {"Decimal"}, "fractions": {"Fraction"},
    "numpy": {"dtype", "ndarray", "bool_", "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32", "float64", "str_", "bytes_", "datetime64", "timedelta64", "longdouble", "complex64", "complex128"},
    "numpy.core.multiarray": {"_reconstruct", "scalar"}, "numpy._core.multiarray": {"_reconstruct", "scalar"},
    "numpy.core.numeric": {"_frombuffer"}, "numpy._core.numeric": {"_frombuffer"},
    "numpy.dtypes": {"Float64DType", "Float32DType", "Int64DType", "Int32DType", "BoolDType", "ObjectDType", "StrDType", "VoidDType"},
    "numpy.ma.core": {"_mareconstruct", "MaskedArray"},
    "numpy.random._pickle": {"__randomstate_ctor", "__generator_ctor", "__bit_generator_ctor"},
    "numpy.random._mt19937": {"MT19937"}, "numpy.random._pcg64": {"PCG64"}, "numpy.random.mtrand": {"RandomState"},
    "numpy.random.bit_generator": {"SeedSequence", "__pyx_unpickle_SeedSequence"},
    "scipy.sparse._csr": {"csr_matrix", "csr_array"}, "scipy.sparse._csc": {"csc_matrix", "csc_array"},
    "scipy.sparse._coo": {"coo_matrix", "coo_array"}, "scipy.sparse.csr": {"csr_matrix"}, "scipy.sparse.csc": {"csc_matrix"},
    "joblib.numpy_pickle": {"NumpyArrayWrapper"},
    "pandas": {"DataFrame", "Series", "Index", "RangeIndex"},
    "pandas.core.frame": {"DataFrame"}, "pandas.core.series": {"Series"},
    "pandas.core.indexes.base": {"Index", "_new_Index"}, "pandas.core.indexes.range": {"RangeIndex"},
    "pandas.core.internals.managers": {"BlockManager", "SingleBlockManager"},
    "pandas._libs.internals": {"_unpickle_block"}, "pandas._libs.arrays": {"__pyx_unpickle_NDArrayBacked"},
    "pandas.core.arrays.string_": {"StringArray", "StringDtype"}, "pandas.core.dtypes.dtypes": {"CategoricalDtype"},
    "pandas.core.arrays.categorical": {"Categorical"}, "pandas.core.indexes.category": {"CategoricalIndex"},
    "torch": {f"{kind}Storage" for kind in ("Long", "Float", "Half", "Double", "BFloat16", "Bool", "Char", "Short", "Int", "Byte", "ComplexFloat", "ComplexDouble", "QInt8", "QInt32", "QUInt8", "Untyped")} | {"Size", "device", "Tensor", "float16", "float32", "float64", "int32", "int64", "bool", "bfloat16"},
    "torch.storage": {"TypedStorage", "UntypedStorage"},
    "torch._utils": {"_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_parameter", "_rebuild_qtensor", "_rebuild_sparse_tensor"},
    "torch._tensor": {"_rebuild_from_type_v2"}, "torch.serialization": {"_get_layout"}, "torch.nn.parameter": {"Parameter"},
    "sklearn.tree._tree": {"Tree"}, "sklearn.neighbors._dist_metrics": {"newObj"}, "sklearn.metrics._dist_metrics": {"newObj"},
    "sklearn.neighbors._kd_tree": {"newObj"}, "sklearn.neighbors._ball_tree": {"newObj"},
}  # fmt: skip
# Libraries whose classes are estimators and their parts; functions of them are not listed.
_ESTIMATORS = ("sklearn", "xgboost", "lightgbm", "imblearn")


def aliases(module: str, name: str) -> Iterator[tuple[str, str]]:
    """The name, and what Python makes of it in pickles of protocols 0 to 2 (`__builtin__`, `commands`, ...)."""
    yield module, name
    if (module, name) in _compat_pickle.NAME_MAPPING:
        yield _compat_pickle.NAME_MAPPING[(module, name)]
    if module in _compat_pickle.IMPORT_MAPPING:
        yield _compat_pickle.IMPORT_MAPPING[module], name


@functools.lru_cache(maxsize=4096)
def level_of(module: str, name: str) -> str:
    """dangerous, listed or unlisted; the worse of what the name is and what Python 3 makes of it."""
    levels = {_level(*alias) for alias in aliases(module, name)}
    if DANGEROUS in levels:
        return DANGEROUS
    return LISTED if LISTED in levels else UNLISTED


def is_name(module: str, name: str) -> bool:
    """Whether both could be imported at all."""
    return bool(_IDENTIFIER.fullmatch(module) and _IDENTIFIER.fullmatch(name))


def _level(module: str, name: str) -> str:
    if _ours(module, name) or _picklescan(module, name):
        return DANGEROUS
    if "." in name:
        return UNLISTED
    if name in _LISTED.get(module, ()):
        return LISTED
    root = module.partition(".")[0]
    estimator = root in _ESTIMATORS and _CLASS.fullmatch(name) and not _TESTING.search(module)
    return LISTED if estimator else UNLISTED


def _ours(module: str, name: str) -> bool:
    parts, path = module.split("."), name.split(".")
    for end in range(1, len(parts) + 1):
        rule = _DANGEROUS.get(".".join(parts[:end]), set())
        if rule is None:
            return True
    rule = _DANGEROUS.get(module) or set()
    dunder = any(part.startswith("__") and part.endswith("__") for part in path[:-1])
    return path[0] in rule or name in rule or dunder


def _picklescan(module: str, name: str) -> bool:
    """What picklescan says of this name: asked with a pickle of nothing else."""
    if "\n" in module or "\n" in name:
        return True
    stream = io.BytesIO(f"c{module}\n{name}\n.".encode("utf-8", "surrogatepass"))
    answer = scan_pickle_bytes(stream, "name")
    return any(each.safety is SafetyLevel.Dangerous for each in answer.globals)


def second_reading(data: bytes) -> list[tuple[str, str]]:
    """The dangerous names that picklescan finds in a small stream by its own reading; [] if it breaks off.

    Names it could not tell ("unknown") are left to our own reading, which follows the stack and the memo.
    """
    try:
        answer = scan_pickle_bytes(io.BytesIO(data), "stream")
    except Exception:  # noqa: BLE001 - a second opinion: our own reading stands without it
        return []
    return sorted(
        {
            (each.module, each.name)
            for each in answer.globals
            if each.safety is SafetyLevel.Dangerous and is_name(each.module, each.name)
            and "unknown" not in (each.module, each.name)
        }
    )  # fmt: skip
