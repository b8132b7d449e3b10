"""What a pickle would do when it is loaded, followed on paper: every opcode, a stack of what is known, the memo.

Guarantees: every name that the stream imports is reported with its byte, whatever way it takes (GLOBAL, INST,
STACK_GLOBAL with texts from the memo, the extension registry); a name that is computed while loading is reported
as hidden; what follows a break is not read and said to be unread. Nothing is imported, called or built.

Steps at a BUILD of joblib's array wrapper: 1 the size of the array from shape and dtype, 2 an array of objects is
another pickle, which is followed, 3 the bytes are stepped over, after being followed as opcodes too, because a plain
`pickle.load` of the same file would. Sizes that cannot be told end the reading.

Not followed: what the imported classes do with their state (`__setstate__`); that is what the list of names is for.
"""

from __future__ import annotations

import re
from collections import ChainMap
from collections.abc import Callable, MutableMapping
from typing import Any, BinaryIO, Final

from apps.checks.files.arrays import ArrayError, array_bytes
from apps.checks.files.opcodes import HANDLERS
from apps.checks.files.stream import Broken, Limit, Reader
from apps.checks.files.values import MARK, TEXT, THING, WRAPPER, Account, Import, Made, Name

MOST_OPS: Final = 200_000_000
MOST_HELD: Final = 2_000_000  # entries of the stack and of the memo
MOST_TEXT: Final = 32 * 1024 * 1024
MOST_NAMES: Final = 50_000
MOST_NESTED: Final = 20
PROBE_OPS: Final = 500_000  # in all, on bytes of joblib's arrays
_TICK: Final = 100_000
_NAMELIKE: Final = re.compile(r"[\w.]{1,300}")


_INTS = {"BININT": (4, True), "BININT1": (1, False), "BININT2": (2, False)}
_TEXTS = {"STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"}  # fmt: skip
_PLAIN = {"LONG", "FLOAT", "BINFLOAT", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8", "NEXT_BUFFER", "EMPTY_LIST", "EMPTY_SET"}  # fmt: skip
_GETS = {"GET": 0, "BINGET": 1, "LONG_BINGET": 4}
_PUTS = {"PUT": 0, "BINPUT": 1, "LONG_BINPUT": 4}


class Machine:
    """One pickle of a file, followed from where the file stands until its STOP or until it cannot be followed."""

    def __init__(
        self, file: BinaryIO, *, tick: Callable[[], None] = lambda: None, most: int = MOST_OPS
    ) -> None:
        self.reader = Reader(file)
        self.tick, self.most = tick, most
        self.account = Account()
        self.stack: list[Any] = []
        self.memo: MutableMapping[int, Any] = {}
        self.memo_size = 0
        self.text_held = 0
        self.wrapped = False
        self.depth = 0
        self.probed = 0

    def run(self) -> Account:
        """Follow the stream. Never raises for what is in it."""
        account = self.account
        try:
            while not account.ended:
                self._step()
                if account.ops % _TICK == 0:
                    self.tick()
        except (Broken, ArrayError) as error:
            account.broken, account.limited = str(error), isinstance(error, Limit)
        account.at = self.reader.at
        return account

    def _step(self) -> None:
        account = self.account
        at, name, arg = self.reader.next()
        account.ops += 1
        if account.ops > self.most:
            raise Limit("it has more opcodes than are followed")
        if len(self.stack) > MOST_HELD or self.memo_size > MOST_HELD:
            raise Limit("it holds more at once than is followed")
        if name in _TEXTS:
            self.stack.append(self._text(name, arg))
        elif name in _INTS:
            width, signed = _INTS[name]
            self.stack.append(int.from_bytes((arg or b"")[:width], "little", signed=signed))
        elif name in _PLAIN:
            self.stack.append(THING)
        elif name in _GETS:
            self._get(self._key(arg, text=name == "GET"))
        elif name in _PUTS:
            self.put(self._key(arg, text=name == "PUT"))
        else:
            HANDLERS[name](self, at, arg or b"")

    # What is on the stack

    def top(self) -> Any:
        if not self.stack or self.stack[-1] is MARK:
            raise Broken("it takes from an empty stack")
        return self.stack[-1]

    def pop(self) -> Any:
        self.top()
        return self.stack.pop()

    def to_mark(self) -> list[Any]:
        for index in range(len(self.stack) - 1, -1, -1):
            if self.stack[index] is MARK:
                found = self.stack[index + 1 :]
                del self.stack[index:]
                return found
        raise Broken("it goes back to a mark that is not there")

    def _text(self, name: str, arg: bytes | None) -> Any:
        if arg is None:
            return TEXT
        if name == "STRING":
            if len(arg) < 2 or arg[:1] != arg[-1:] or arg[:1] not in b"'\"":
                raise Broken("a text has no quotation marks")
            arg = arg[1:-1]
            if b"\\" in arg:
                arg = _unescaped(arg)
        try:
            coding = "raw_unicode_escape" if name == "UNICODE" else "utf-8"
            text = arg.decode(coding, "surrogatepass")
        except UnicodeDecodeError:
            return TEXT
        if not _NAMELIKE.fullmatch(text):
            return text if len(text) <= 8 else TEXT
        self.text_held += len(text)
        if self.text_held > MOST_TEXT:
            raise Limit("it holds more text than is followed")
        return text

    def _key(self, arg: bytes | None, *, text: bool) -> int:
        if not text:
            return int.from_bytes(arg or b"", "little")
        try:
            return int(arg or b"")
        except ValueError:
            raise Broken("a memo's number is none") from None

    def _get(self, key: int) -> None:
        if key not in self.memo:
            raise Broken("it takes from the memo what is not there")
        self.stack.append(self.memo[key])

    def put(self, key: int) -> None:
        """Remember what is on top."""
        self.memo_size += key not in self.memo
        self.memo[key] = self.top()

    # Names and calls

    def name(self, at: int, module: Any, name: Any) -> Name:
        """A name is imported here. One that is no text of the stream is hidden."""
        hidden = not (isinstance(module, str) and isinstance(name, str))
        found = Name(
            module if isinstance(module, str) else "?", name if isinstance(name, str) else "?"
        )
        entry = self.account.imports.setdefault(
            (found.module, found.name), Import(found.module, found.name, at, hidden=hidden)
        )
        entry.count += 1
        if len(self.account.imports) > MOST_NAMES:
            raise Limit("it imports more names than are followed")
        if found.name.endswith("ArrayWrapper") and found != WRAPPER:
            raise Broken("it holds an array in a form of joblib's that is not read here")
        self.wrapped |= found == WRAPPER
        return found

    def call(self, target: Any, args: Any) -> Made:
        """Something is called here."""
        self.account.calls += 1
        if isinstance(target, Name):
            self.account.imports[(target.module, target.name)].called = True
        if self.wrapped and target != WRAPPER and _may_hold_wrapper(args):
            raise Broken("it makes an array of joblib's in an unusual way")
        return Made(target, args)

    def two_lines(self, at: int, arg: bytes) -> Name:
        """The name in the argument of GLOBAL and INST."""
        try:
            module, name = arg.decode("utf-8", "surrogatepass").split("\n")
        except UnicodeDecodeError:
            raise Broken("a name is not text") from None
        return self.name(at, module, name)

    # Arrays that joblib writes between the opcodes

    def build(self) -> None:
        """A state is set; for joblib's wrapper the bytes of an array follow."""
        state = self.pop()
        target = self.top()
        if not isinstance(target, Made):
            return
        target.state = state
        if target.of == WRAPPER:
            self.stack[-1] = THING
            self._array(state)

    def _array(self, state: Any) -> None:
        size, objects = array_bytes(state)
        if objects:  # step 2
            self._follow_objects()
            return
        start = self.reader.at
        self._probe(start)
        self.reader.seek(start)
        if state.get("numpy_array_alignment_bytes") is not None:
            size += self.reader.take(1)[0]
        self.reader.skip(size)

    def _follow_objects(self) -> None:
        inner = Machine(self.reader.file, tick=self.tick, most=self.most - self.account.ops)
        inner.depth = self.depth + 1
        if inner.depth > MOST_NESTED:
            raise Limit("its arrays of objects lie in each other too deep")
        self._merge(inner.run())
        if not inner.account.ended:
            raise Broken(f"an array of objects: {inner.account.broken}")
        self.reader.at = inner.reader.at

    def _probe(self, start: int) -> None:
        """Step 3: the array's bytes as a plain unpickler would take them."""
        budget = PROBE_OPS - self.probed
        if budget <= 0:
            raise Limit("its arrays read as too many opcodes")
        other = Machine(self.reader.file, most=budget)
        other.reader.seek(start)
        other.stack, other.memo = list(self.stack[-1000:]), ChainMap({}, self.memo)
        other.memo_size = self.memo_size
        other.plain = True
        account = other.run()
        self.probed += account.ops
        if account.calls or account.ended:
            self._merge(account)

    plain = False  # a plain unpickler does not know joblib's arrays

    def _merge(self, other: Account) -> None:
        self.account.ops += other.ops
        self.account.calls += other.calls
        for key, entry in other.imports.items():
            mine = self.account.imports.setdefault(key, entry)
            if mine is not entry:
                mine.count += entry.count
                mine.called |= entry.called


def _may_hold_wrapper(args: Any) -> bool:
    """joblib reads an array after the state of any wrapper, whoever made it: one that is made by another call
    would make us read on at the wrong place."""
    pending, looked = [args], 0
    while pending:
        each = pending.pop()
        looked += 1
        if (each is THING and each is args) or each == WRAPPER or looked > 1000:
            return True
        if isinstance(each, tuple):
            pending.extend(each)
    return False


def _unescaped(arg: bytes) -> bytes:
    try:
        return arg.decode("latin-1").encode("latin-1").decode("unicode_escape").encode()
    except (UnicodeDecodeError, UnicodeEncodeError):
        raise Broken("a text has a wrong escape") from None
