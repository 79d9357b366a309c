"""Makes small PNG pictures of large ones, with nothing but zlib: row by row, in little memory."""

import itertools
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

MOST_PIXELS = 24_000_000

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""The bytes of a pixel by its colour type, at eight bits each."""


class PictureError(ValueError):
    """These bytes are no picture that can be read here; the message says why."""


class Header(NamedTuple):
    """The header of a PNG."""

    width: int
    height: int
    colour: int


def read_header(png: bytes) -> Header:
    """The size of a picture. Raises `PictureError` unless its pixels can be read, too."""
    if not png.startswith(_SIGNATURE) or len(png) < 33 or png[12:16] != b"IHDR":
        raise PictureError("this is no PNG")
    width, height, depth, colour, *_, interlaced = struct.unpack(">IIBBBBB", png[16:29])
    if depth != 8 or interlaced or colour not in _CHANNELS:
        raise PictureError("only PNGs with 8 bits a channel that are not interlaced can be read")
    if not 0 < width * height <= MOST_PIXELS:
        raise PictureError(f"{width} x {height} pixels are too many, or none")
    return Header(width, height, colour)


def shrink(png: bytes, width: int, tell: Callable[[int, int], None]) -> bytes:
    """A picture of at most a width, as PNG; its height follows.

    Args:
        png: the large one.
        width: in pixels.
        tell: is told how many rows of how many are done, now and then.
    """
    header = read_header(png)
    width = min(width, header.width)
    height = max(1, header.height * width // header.width)
    boxes = _boxes(header.width, width)
    sums, taken, rows = [0] * (3 * width), 0, list[bytes]()
    for number, row in enumerate(_rgb_rows(png, header), 1):
        for channel in range(3):
            values = row[channel::3]
            for place, (start, end) in enumerate(boxes):
                sums[3 * place + channel] += sum(values[start:end])
        taken += 1
        if number * height // header.height > len(rows):
            counts = [taken * (end - start) for start, end in boxes for _ in range(3)]
            rows.append(bytes(map(int.__floordiv__, sums, counts)))
            sums, taken = [0] * (3 * width), 0
        if number % 16 == 0 or number == header.height:
            tell(number, header.height)
    return write(width, height, rows)


def write(width: int, height: int, rows: list[bytes]) -> bytes:
    """A PNG of rows of red, green and blue bytes."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows), 9)
    chunks = ((b"IHDR", header), (b"IDAT", pixels), (b"IEND", b""))
    return _SIGNATURE + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _boxes(width: int, wanted: int) -> list[tuple[int, int]]:
    """For each column of the small picture: the columns of the large one, from and to."""
    edges = [column * width // wanted for column in range(wanted + 1)]
    return list(itertools.pairwise(edges))


def _rgb_rows(png: bytes, header: Header) -> Iterator[bytes]:
    """Each row as red, green and blue bytes; what is transparent lies on white."""
    chunks = list(_chunks(png))
    palette = next((data for kind, data in chunks if kind == b"PLTE"), b"")
    data = b"".join(data for kind, data in chunks if kind == b"IDAT")
    for row in _rows(data, header.width * _CHANNELS[header.colour], header):
        yield _rgb(row, header.colour, palette)


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(_SIGNATURE)
    while at + 12 <= len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        yield png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        at += length + 12


def _rows(data: bytes, length: int, header: Header) -> Iterator[bytearray]:
    """The rows as they were before they were filtered and packed; never more of them than told."""
    unpacking, step = zlib.decompressobj(), _CHANNELS[header.colour]
    above, kept = bytearray(length), b""
    for _ in range(header.height):
        try:
            while len(kept) <= length:
                part = unpacking.decompress(data, length + 1 - len(kept))
                data = unpacking.unconsumed_tail
                if not part:
                    raise PictureError("the picture ends too early")
                kept += part
            above = _unfiltered(kept[0], bytearray(kept[1 : length + 1]), above, step)
        except zlib.error as error:
            raise PictureError(f"the picture is damaged: {error}") from None
        kept = kept[length + 1 :]
        yield above


def _unfiltered(kind: int, row: bytearray, above: bytearray, step: int) -> bytearray:
    if kind == 1:
        for i in range(step, len(row)):
            row[i] = (row[i] + row[i - step]) & 255
    elif kind == 2:
        row = bytearray((a + b) & 255 for a, b in zip(row, above, strict=True))
    elif kind == 3:
        for i in range(len(row)):
            left = row[i - step] if i >= step else 0
            row[i] = (row[i] + (left + above[i]) // 2) & 255
    elif kind == 4:
        for i in range(len(row)):
            left, corner = (row[i - step], above[i - step]) if i >= step else (0, 0)
            row[i] = (row[i] + _nearest(left, above[i], corner)) & 255
    elif kind:
        raise PictureError(f"the picture is damaged: there is no filter {kind}")
    return row


def _nearest(left: int, up: int, corner: int) -> int:
    """Paeth's choice: which of the three is nearest to left + up - corner."""
    far, high, both = abs(up - corner), abs(left - corner), abs(left + up - 2 * corner)
    if far <= high and far <= both:
        return left
    return up if high <= both else corner


def _rgb(row: bytearray, colour: int, palette: bytes) -> bytes:
    if colour == 2:
        return bytes(row)
    if colour == 3:
        return b"".join(palette[3 * i : 3 * i + 3] for i in row)
    made = bytearray(3 * (len(row) // _CHANNELS[colour]))
    for channel in range(3):
        made[channel::3] = row if colour == 0 else _on_white(row, colour, channel)
    return bytes(made)


def _on_white(row: bytearray, colour: int, channel: int) -> bytes:
    """A channel of a picture with transparency."""
    step, place = (2, 0) if colour == 4 else (4, channel)
    pairs = zip(row[place::step], row[step - 1 :: step], strict=True)
    return bytes(255 - (255 - value) * alpha // 255 for value, alpha in pairs)
