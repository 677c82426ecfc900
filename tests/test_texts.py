"""The tables of a run, of which the texts are gathered only when they are asked for."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from report_fixture import make_tables

from dedup.model import table_schemas
from dedup.texts import Tables, TextTable


def table_of(at: list[int]) -> TextTable:
    names = [f"r{i}" for i in range(len(at))]
    others = pa.table({"id": names, "ref": names, "digest": names})
    return TextTable(
        others, pa.array(["one", "two", "three"], pa.large_string()), np.array(at, int)
    )


@pytest.mark.parametrize("rows", [1, 2, 3, 100])
def test_parts_of_any_size_are_the_whole(rows):
    table = table_of([2, 0, 0, 1, 2])
    assert len(table) == 5
    parts = list(table.parts(rows))
    assert all(len(part) == rows for part in parts[:-1])
    assert pa.concat_tables(parts).equals(table.whole)
    assert table.whole.schema.equals(table_schemas()["texts"])
    assert table.whole["text"].to_pylist() == ["three", "one", "one", "two", "three"]


def test_a_table_without_rows():
    assert list(table_of([]).parts(10)) == []
    assert table_of([]).whole.equals(table_schemas()["texts"].empty_table())


def test_a_text_is_found_by_its_ref():
    assert table_of([2, 0]).get("r0") == "three"
    assert table_of([2, 0]).get("r9") is None


def test_tables_at_hand_read_the_same():
    plain = make_tables()
    tables = Tables.of(plain)
    assert set(tables) == set(plain)
    assert len(tables) == len(plain)
    assert Tables.of(tables) is tables
    for name, table in plain.items():
        assert tables[name].equals(table), name
        assert tables.rows(name) == len(table)


def test_without_texts_there_is_no_such_table():
    tables = Tables.of(make_tables()).without_texts()
    assert "texts" not in tables
    assert tables.texts is None
    with pytest.raises(KeyError):
        tables["texts"]


def test_counting_and_listing_gather_nothing():
    table = table_of([2, 0])
    tables = Tables({"articles": make_tables()["articles"]}, table)
    assert "texts" in tables
    assert list(tables) == ["articles", "texts"]
    assert tables.rows("texts") == 2
    assert "whole" not in vars(table)
    assert len(tables["texts"]) == 2
    assert "whole" in vars(table)
