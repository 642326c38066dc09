"""The Parquet data pages of a block, as our writer lays them out, read without a Parquet reader.

A page of ours is version 1, without statistics, of required doubles in plain encoding: a header (a struct of Apache
Thrift's compact protocol [1]_) and one LZ4 block, whose content is the values and nothing else. So a page can be
decoded from its own bytes, with no footer.

References
----------
.. [1] Apache Parquet, "File format" (parquet.thrift: PageHeader) and "Thrift compact protocol encoding".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

_STOP, _I32, _STRUCT = 0, 5, 12
#: Numbers of the fields of a PageHeader.
_TYPE, _UNPACKED_SIZE, _PACKED_SIZE = 1, 2, 3
_DATA_PAGE = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Where a page is: its header from `start`, its LZ4 block of so many bytes when unpacked from `body` to `stop`."""

    start: int
    body: int
    stop: int
    unpacked_size: int


def pages(data: bytes | memoryview, start: int, stop: int) -> Iterator[Page]:
    """The pages that lie one behind the other from `start` to `stop`; `ValueError` when they are not ours."""
    at = start
    while at < stop:
        fields, body = _struct(data, at)
        if fields.get(_TYPE) != _DATA_PAGE:
            raise ValueError(f"no data page at byte {at}")
        end = body + fields[_PACKED_SIZE]
        if end > stop:
            raise ValueError(f"the page at byte {at} ends at {end}, beyond {stop}")
        yield Page(start=at, body=body, stop=end, unpacked_size=fields[_UNPACKED_SIZE])
        at = end


def decode_pages(data: memoryview) -> NDArray[np.float64]:
    """Values of all pages in `data`, one behind the other, read-only."""
    codec = pa.Codec("lz4_raw")
    parts = [
        np.frombuffer(codec.decompress(pa.py_buffer(data[page.body : page.stop]), page.unpacked_size), dtype=np.float64)
        for page in pages(data, 0, len(data))
    ]
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _struct(data: bytes | memoryview, at: int) -> tuple[dict[int, int], int]:
    """Integers of a struct by field number, those of inner structs left out, and the place behind it."""
    fields: dict[int, int] = {}
    number = 0
    while (head := data[at]) != _STOP:
        number += head >> 4
        kind = head & 0x0F
        if kind == _I32:
            fields[number], at = _integer(data, at + 1)
        elif kind == _STRUCT:
            _, at = _struct(data, at + 1)
        else:
            raise ValueError(f"a page header of ours has no field of type {kind}")
    return fields, at + 1


def _integer(data: bytes | memoryview, at: int) -> tuple[int, int]:
    """A zigzag integer of seven bits a byte, lowest first, and the place behind it."""
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:  # noqa: PLR2004  the last byte has no high bit
            return (value >> 1) ^ -(value & 1), at
