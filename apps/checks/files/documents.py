"""Names of code inside JSON documents: Keras architectures and skops schemas. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from apps.checks.files import names
from apps.checks.files.report import DANGEROUS, LISTED, UNLISTED, Found

_CODE_LAYERS = {"Lambda", "__lambda__", "TFSMLayer"}
_KERAS = ("keras", "tf_keras", "keras_hub", "keras_nlp", "keras_cv")
_FUNCTIONS = {
    f"keras.{part}"
    for part in ("activations", "losses", "metrics", "initializers", "regularizers", "ops")
}
_SKOPS_CODE = ("MethodNode", "OperatorFuncNode", "PartialNode")


def found_in(document: Any, inside: str) -> Iterator[Found]:
    """Layers that hold code, Keras objects of other modules, names in a skops schema that are on no list."""
    pending = [document]
    while pending:
        entry = pending.pop()
        if isinstance(entry, list):
            pending.extend(entry)
        elif isinstance(entry, dict):
            pending.extend(entry.values())
            yield from _keras(entry, inside)
            yield from _skops(entry, inside)


def _keras(entry: dict[str, Any], inside: str) -> Iterator[Found]:
    kind, module = entry.get("class_name"), entry.get("module")
    if isinstance(kind, str) and kind in _CODE_LAYERS:
        yield Found("lambda", DANGEROUS, f"a Keras layer that holds code ({kind})", inside)
    elif isinstance(kind, str) and isinstance(module, str):
        known = module in _FUNCTIONS if kind == "function" else module.partition(".")[0] in _KERAS
        config = entry.get("config")
        name = config if kind == "function" and isinstance(config, str) else kind
        level = LISTED if known else names.level_of(module, name)
        if level != LISTED:
            yield _name(module, name, level, inside)


def _skops(entry: dict[str, Any], inside: str) -> Iterator[Found]:
    module, name = entry.get("__module__"), entry.get("__class__")
    if not isinstance(module, str) or not isinstance(name, str):
        return
    level = names.level_of(module, name)
    if entry.get("__loader__") in _SKOPS_CODE and level == LISTED:
        level = UNLISTED  # a method, a function, an operator: not data, whatever it is called
    if level != LISTED:
        yield _name(module, name, level, inside)


def _name(module: str, name: str, level: str, inside: str) -> Found:
    return Found("call" if level == DANGEROUS else "name", level, f"{module}.{name}", inside)
