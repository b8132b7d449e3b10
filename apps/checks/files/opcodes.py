"""What each opcode does to the machine's stack; texts, numbers and the memo are the machine's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from apps.checks.files.arrays import UNSURE
from apps.checks.files.stream import Broken
from apps.checks.files.values import MARK, THING

if TYPE_CHECKING:
    from apps.checks.files.machine import Machine


def _push(value: Any) -> Callable[[Machine, int, bytes], None]:
    def handler(m: Machine, at: int, arg: bytes) -> None:
        m.stack.append(value)

    return handler


def _nothing(m: Machine, at: int, arg: bytes) -> None:
    pass


def _proto(m: Machine, at: int, arg: bytes) -> None:
    if arg[0] > 5:
        raise Broken(f"protocol {arg[0]} is unknown")


def _stop(m: Machine, at: int, arg: bytes) -> None:
    m.pop()
    m.account.ended = True


def _int(m: Machine, at: int, arg: bytes) -> None:
    try:
        m.stack.append({b"00": False, b"01": True}.get(arg, int(arg) if arg.isdigit() else THING))
    except ValueError:
        m.stack.append(THING)


def _long(m: Machine, at: int, arg: bytes) -> None:
    m.stack.append(int.from_bytes(arg, "little", signed=True) if 0 < len(arg) <= 8 else THING)


def _pop(m: Machine, at: int, arg: bytes) -> None:
    if not m.stack:
        raise Broken("it takes from an empty stack")
    m.stack.pop()


def _dup(m: Machine, at: int, arg: bytes) -> None:
    m.stack.append(m.top())


def _pop_mark(m: Machine, at: int, arg: bytes) -> None:
    m.to_mark()


def _memoize(m: Machine, at: int, arg: bytes) -> None:
    m.put(m.memo_size)


def _list(m: Machine, at: int, arg: bytes) -> None:
    m.to_mark()
    m.stack.append(THING)


def _append(m: Machine, at: int, arg: bytes) -> None:
    m.pop()
    m.top()


def _appends(m: Machine, at: int, arg: bytes) -> None:
    m.to_mark()
    m.top()


def _tuple(m: Machine, at: int, arg: bytes) -> None:
    items = m.to_mark()
    m.stack.append(tuple(items) if len(items) <= 64 else THING)


def _tuples(size: int) -> Callable[[Machine, int, bytes], None]:
    def handler(m: Machine, at: int, arg: bytes) -> None:
        items = [m.pop() for _ in range(size)]
        m.stack.append(tuple(reversed(items)))

    return handler


def _dict(m: Machine, at: int, arg: bytes) -> None:
    items = m.to_mark()
    m.stack.append({})
    _fill(m.stack[-1], items)


def _empty_dict(m: Machine, at: int, arg: bytes) -> None:
    m.stack.append({})


def _setitem(m: Machine, at: int, arg: bytes) -> None:
    value, key = m.pop(), m.pop()
    _fill(m.top(), [key, value])


def _setitems(m: Machine, at: int, arg: bytes) -> None:
    items = m.to_mark()
    _fill(m.top(), items)


def _fill(target: Any, items: list[Any]) -> None:
    """Small dictionaries with texts for keys are known. Others are marked, so that no array's size rests on them."""
    if not isinstance(target, dict):
        return
    for key, value in zip(items[::2], items[1::2], strict=False):
        known = isinstance(key, str) and len(target) < 64
        target[key if known else UNSURE] = value if known else None


def _frozenset(m: Machine, at: int, arg: bytes) -> None:
    m.to_mark()
    m.stack.append(THING)


def _global(m: Machine, at: int, arg: bytes) -> None:
    m.stack.append(m.two_lines(at, arg))


def _stack_global(m: Machine, at: int, arg: bytes) -> None:
    name, module = m.pop(), m.pop()
    m.stack.append(m.name(at, module, name))


def _ext(m: Machine, at: int, arg: bytes) -> None:
    code = int.from_bytes(arg, "little")
    m.stack.append(m.name(at, "copyreg", f"extension {code}"))


def _reduce(m: Machine, at: int, arg: bytes) -> None:
    args, target = m.pop(), m.pop()
    m.stack.append(m.call(target, args))


def _inst(m: Machine, at: int, arg: bytes) -> None:
    args = m.to_mark()
    m.stack.append(m.call(m.two_lines(at, arg), tuple(args[:64])))


def _obj(m: Machine, at: int, arg: bytes) -> None:
    args = m.to_mark()
    if not args:
        raise Broken("it calls nothing")
    m.stack.append(m.call(args[0], tuple(args[1:65])))


def _newobj_ex(m: Machine, at: int, arg: bytes) -> None:
    m.pop()
    _reduce(m, at, arg)


def _build(m: Machine, at: int, arg: bytes) -> None:
    if m.plain:
        m.pop()
        m.top()
    else:
        m.build()


def _persid(m: Machine, at: int, arg: bytes) -> None:
    m.stack.append(THING)


def _binpersid(m: Machine, at: int, arg: bytes) -> None:
    m.pop()
    m.stack.append(THING)


HANDLERS: Final[dict[str, Callable[[Machine, int, bytes], None]]] = {
    "PROTO": _proto, "STOP": _stop, "FRAME": _nothing, "READONLY_BUFFER": _nothing,
    "NONE": _push(None), "NEWTRUE": _push(True), "NEWFALSE": _push(False), "MARK": _push(MARK),  # noqa: FBT003
    "INT": _int, "LONG1": _long, "LONG4": _long, "POP": _pop, "DUP": _dup, "POP_MARK": _pop_mark, "MEMOIZE": _memoize,
    "LIST": _list, "APPEND": _append, "APPENDS": _appends, "ADDITEMS": _appends, "FROZENSET": _frozenset,
    "EMPTY_TUPLE": _push(()), "TUPLE": _tuple, "TUPLE1": _tuples(1), "TUPLE2": _tuples(2), "TUPLE3": _tuples(3),
    "DICT": _dict, "EMPTY_DICT": _empty_dict, "SETITEM": _setitem, "SETITEMS": _setitems,
    "GLOBAL": _global, "STACK_GLOBAL": _stack_global, "EXT1": _ext, "EXT2": _ext, "EXT4": _ext,
    "REDUCE": _reduce, "NEWOBJ": _reduce, "NEWOBJ_EX": _newobj_ex, "INST": _inst, "OBJ": _obj, "BUILD": _build,
    "PERSID": _persid, "BINPERSID": _binpersid,
}  # fmt: skip
