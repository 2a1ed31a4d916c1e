"""
Headers of the members of a bundle, which is a plain tar file.

A member's header follows from its name and its size alone. So a reader compares bytes, and interprets none of a file
that may be forged.
"""

from __future__ import annotations

BLOCK = 512
END = bytes(2 * BLOCK)
MOST_OCTAL = (1 << 33) - 1  # bytes: the size field of ustar has 11 octal digits


def header(name: str, size: int) -> bytes:
    """The header of a regular file: ustar, with a pax record in front of it for a size that ustar cannot hold."""
    if size <= MOST_OCTAL:
        return _ustar(name, size, b"0")
    record = _pax_record("size", str(size))
    return _ustar("pax/size", len(record), b"x") + pad(record) + _ustar(name, 0, b"0")


def padding(size: int) -> int:
    """Bytes that fill the last block of a member."""
    return -size % BLOCK


def pad(content: bytes) -> bytes:
    return content + bytes(padding(len(content)))


def size_in(block: bytes, name: str) -> int:
    """The size in the header of a small member. Raises ValueError if it is not the header of that name."""
    try:
        size = int(block[124:135], 8)
    except ValueError:
        raise ValueError("no header") from None
    if block != header(name, size):
        raise ValueError("no header")
    return size


def _ustar(name: str, size: int, kind: bytes) -> bytes:
    fields = [
        (name.encode(), 100),
        (b"0000644\0", 8),
        (b"0000000\0", 8),
        (b"0000000\0", 8),
        (b"%011o\0" % size, 12),
        (b"00000000000\0", 12),
        (b" " * 8, 8),
        (kind, 1),
        (b"", 100),
        (b"ustar\x0000", 8),
    ]
    block = b"".join(content.ljust(width, b"\0") for content, width in fields).ljust(BLOCK, b"\0")
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]


def _pax_record(key: str, value: str) -> bytes:
    """`LENGTH KEY=VALUE`, where the length counts its own digits."""
    rest = f" {key}={value}\n"
    length = len(rest)
    while len(str(length)) + len(rest) != length:
        length = len(str(length)) + len(rest)
    return f"{length}{rest}".encode()
