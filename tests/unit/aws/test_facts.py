"""Columns of facts, read from Arrow's memory."""

from __future__ import annotations

import pyarrow as pa

from aws.facts import texts_of


def test_texts_are_those_of_the_rows_of_a_part_of_several_chunks_and_of_none() -> None:
    column = pa.chunked_array([pa.array(part).dictionary_encode() for part in (["b", "a", "b"], ["c", "b"])])
    assert texts_of(column) == ["b", "a", "b", "c", "b"]
    assert texts_of(column.slice(1, 3)) == ["a", "b", "c"]
    assert texts_of(column.slice(5)) == []
