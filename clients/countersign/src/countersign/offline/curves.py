"""Verification of ECDSA on P-256 and P-384 (FIPS 186-5, 6.4.2) and of Ed25519 (RFC 8032, 5.1.7), in plain Python.

Only public values go in, so time that depends on them gives nothing away. Nothing here signs.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Optional

Point = Optional[tuple[int, int]]  # noqa: UP045 -- Python 3.9 evaluates it


@dataclass(frozen=True)
class Curve:
    """y^2 = x^3 - 3x + b over p, a group of order n with the base point g; numbers have `size` bytes."""

    p: int
    b: int
    n: int
    g: tuple[int, int]
    size: int


# SP 800-186, 3.2.1.3 and 3.2.1.4.
P256 = Curve(
    2**256 - 2**224 + 2**192 + 2**96 - 1,
    0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B,
    0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    (
        0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
        0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
    ),
    32,
)
P384 = Curve(
    2**384 - 2**128 - 2**96 + 2**32 - 1,
    0xB3312FA7E23EE7E4988E056BE3F82D19181D9C6EFE8141120314088F5013875AC656398D8A2ED19D2A85C8EDD3EC2AEF,
    0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973,
    (
        0xAA87CA22BE8B05378EB1C71EF320AD746E1D3B628BA79B9859F741E082542A385502F25DBF55296C3A545E3872760AB7,
        0x3617DE4A96262C6F5D9E98BF9292DC29F8F41DBD289A147CE9DA3113B5F0B8C00A60B1CE1D7E819D7A431D7C90EA0E5F,
    ),
    48,
)


def _added(curve: Curve, one: Point, other: Point) -> Point:
    if one is None or other is None:
        return one or other
    if one[0] == other[0]:
        if (one[1] + other[1]) % curve.p == 0:
            return None
        slope = (3 * one[0] * one[0] - 3) * pow(2 * one[1], -1, curve.p)
    else:
        slope = (other[1] - one[1]) * pow(other[0] - one[0], -1, curve.p)
    x = (slope * slope - one[0] - other[0]) % curve.p
    return x, (slope * (one[0] - x) - one[1]) % curve.p


def _times(curve: Curve, factor: int, point: Point) -> Point:
    total: Point = None
    while factor:
        if factor & 1:
            total = _added(curve, total, point)
        point = _added(curve, point, point)
        factor >>= 1
    return total


def p256_verifies(public: bytes, message: bytes, r: int, s: int) -> bool:
    """`public` is the uncompressed point, 65 bytes; the message is hashed with SHA-256."""
    return ecdsa_verifies(P256, public, hashlib.sha256(message).digest(), r, s)


def ecdsa_verifies(curve: Curve, public: bytes, digest: bytes, r: int, s: int) -> bool:
    """Of a digest, of which the leftmost bits count, as many as the order has (FIPS 186-5, 6.4.2)."""
    size = curve.size
    if len(public) != 2 * size + 1 or public[0] != 4:
        return False
    x, y = int.from_bytes(public[1 : size + 1], "big"), int.from_bytes(public[size + 1 :], "big")
    if not (x < curve.p and y < curve.p) or (y * y - (x * x * x - 3 * x + curve.b)) % curve.p:
        return False
    if not (0 < r < curve.n and 0 < s < curve.n):
        return False
    number = int.from_bytes(digest[:size], "big")
    inverse = pow(s, -1, curve.n)
    found = _added(
        curve,
        _times(curve, number * inverse % curve.n, curve.g),
        _times(curve, r * inverse % curve.n, (x, y)),
    )
    return found is not None and found[0] % curve.n == r


# Ed25519 (RFC 8032, 5.1): -x^2 + y^2 = 1 + D x^2 y^2 over Q, a subgroup of order L.
Q = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, Q) % Q
_ROOT = pow(2, (Q - 1) // 4, Q)
Extended = tuple[int, int, int, int]


def _decoded(data: bytes) -> Extended | None:
    """5.1.3: a point from its 32 bytes; None for what is none."""
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    if y >= Q:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, -1, Q) % Q
    x = pow(square, (Q + 3) // 8, Q)
    if (x * x - square) % Q:
        x = x * _ROOT % Q
    if (x * x - square) % Q or (x == 0 and sign):
        return None
    x = Q - x if x & 1 != sign else x
    return x, y, 1, x * y % Q


def _sum(one: Extended, other: Extended) -> Extended:
    """5.1.4, addition."""
    a = (one[1] - one[0]) * (other[1] - other[0]) % Q
    b = (one[1] + one[0]) * (other[1] + other[0]) % Q
    c = 2 * one[3] * other[3] * D % Q
    d = 2 * one[2] * other[2] % Q
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % Q, g * h % Q, f * g % Q, e * h % Q


def _multiple(factor: int, point: Extended) -> Extended:
    total: Extended = (0, 1, 1, 0)
    while factor:
        if factor & 1:
            total = _sum(total, point)
        point = _sum(point, point)
        factor >>= 1
    return total


_BASE = _decoded(bytes([0x58]) + bytes([0x66]) * 31)


def ed25519_verifies(public: bytes, message: bytes, signature: bytes) -> bool:
    """5.1.7, the equation without cofactor, as most libraries have it."""
    if len(public) != 32 or len(signature) != 64:
        return False
    key, first = _decoded(public), _decoded(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if key is None or first is None or _BASE is None or s >= L:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % L
    left, right = _multiple(s, _BASE), _sum(first, _multiple(k, key))
    return (left[0] * right[2] - right[0] * left[2]) % Q == 0 and (
        left[1] * right[2] - right[1] * left[2]
    ) % Q == 0
