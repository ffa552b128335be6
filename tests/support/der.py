"""DER, just enough to write an RFC 3161 response and the extensions of a signing certificate."""

from __future__ import annotations


def tlv(tag: int, *parts: bytes) -> bytes:
    """Return one element with its length."""
    body = b"".join(parts)
    if len(body) < 128:
        return bytes([tag, len(body)]) + body
    width = (len(body).bit_length() + 7) // 8
    return bytes([tag, 0x80 | width]) + len(body).to_bytes(width, "big") + body


def sequence(*parts: bytes) -> bytes:
    return tlv(0x30, *parts)


def set_of(*parts: bytes) -> bytes:
    return tlv(0x31, *sorted(parts))


def integer(number: int) -> bytes:
    return tlv(0x02, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def octets(value: bytes) -> bytes:
    return tlv(0x04, value)


def utf8(text: str) -> bytes:
    return tlv(0x0C, text.encode())


def oid(dotted: str) -> bytes:
    """Return an object identifier."""
    first, second, *rest = map(int, dotted.split("."))
    out = bytearray([first * 40 + second])
    for number in rest:
        chunk = [number & 0x7F]
        while number := number >> 7:
            chunk.append(number & 0x7F | 0x80)
        out += bytes(reversed(chunk))
    return tlv(0x06, bytes(out))
