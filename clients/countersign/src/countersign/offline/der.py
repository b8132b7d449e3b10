"""As much of DER (X.690) as a signature container needs: values, strictly encoded."""

from __future__ import annotations

from dataclasses import dataclass

from countersign.offline.problems import Wrong

SEQUENCE, SET, OCTETS, INTEGER, OID, BITS = 0x30, 0x31, 0x04, 0x02, 0x06, 0x03


@dataclass(frozen=True)
class Value:
    """One value: its tag, its content, and all of its bytes."""

    tag: int
    content: bytes
    whole: bytes

    def inside(self) -> list[Value]:
        """The values in the content, which must be nothing else."""
        found, rest = [], self.content
        while rest:
            one = read(rest)
            found.append(one)
            rest = rest[len(one.whole) :]
        return found

    def sequence(self, tag: int = SEQUENCE) -> list[Value]:
        """The values inside, if this is a sequence (or has that other tag)."""
        return self.expected(tag).inside()

    def expected(self, tag: int) -> Value:
        if self.tag != tag:
            raise Wrong(
                f"the signature container has a value of kind {self.tag:#04x}, expected {tag:#04x}"
            )
        return self

    def number(self) -> int:
        return int.from_bytes(self.expected(INTEGER).content, "big", signed=True)


def read(data: bytes) -> Value:
    """The first value of the bytes."""
    if len(data) < 2 or data[0] & 0x1F == 0x1F:
        raise Wrong("the signature container is cut off or has a kind of value that it should not")
    length, start = data[1], 2
    if length & 0x80:
        start += length & 0x7F
        length = int.from_bytes(data[2:start], "big")
        if start == 2 or length < 0x80 or data[2] == 0:
            raise Wrong("a length in the signature container is not in its shortest form")
    if len(data) < start + length:
        raise Wrong("the signature container is cut off")
    return Value(data[0], data[start : start + length], data[: start + length])


def alone(data: bytes) -> Value:
    """The only value of the bytes."""
    value = read(data)
    if value.whole != data:
        raise Wrong("there is more in the signature container than its value")
    return value


def oid(text: str) -> bytes:
    """The content of an object identifier."""
    first, second, *rest = (int(part) for part in text.split("."))
    out = bytearray([40 * first + second])
    for part in rest:
        septets = [part & 0x7F]
        while part := part >> 7:
            septets.append(part & 0x7F | 0x80)
        out += bytes(reversed(septets))
    return bytes(out)
