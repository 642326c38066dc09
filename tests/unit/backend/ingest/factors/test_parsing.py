"""Factor files of both kinds, written by hand in the form in which the libraries serve them."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.ingest.errors import BadDataError
from backend.ingest.factors.parsing import parsed_factors
from backend.ingest.factors.table import FACTOR_SCHEMA

FRENCH = """This file was created by CMPT_ME_BEME_OP_INV_RETS_DAILY using the 202604 CRSP database.
The 1-month TBill return is from Ibbotson and Associates.

,Mkt-RF,SMB,Mom
19630701,   -0.67,    0.02,  -99.99
19630702,    0.79,   -0.28,    -999

 Annual Factors: January-December
,Mkt-RF,SMB,Mom
  1963,   12.00,    1.00,    2.00

Copyright 2026 Eugene F. Fama and Kenneth R. French
"""
FRED = "observation_date,DGS10,VIXCLS\n2024-01-01,.,\n2024-01-02,3.95,13.20\n"

JULY_1, JULY_2 = dt.date(1963, 7, 1), dt.date(1963, 7, 2)


def rows_of(text: str) -> list[tuple[str, dt.date, float | None]]:
    table = parsed_factors(text, dataset="d").table
    assert table.schema == FACTOR_SCHEMA
    return [(row["name"], row["date"], row["value"]) for row in table.to_pylist()]


def test_the_daily_per_cent_of_french_become_fractions_and_his_codes_nothing() -> None:
    assert rows_of(FRENCH) == [
        ("Mkt-RF", JULY_1, -0.0067),
        ("Mkt-RF", JULY_2, 0.0079),
        ("SMB", JULY_1, 0.0002),
        ("SMB", JULY_2, -0.0028),
        ("Mom", JULY_1, None),
        ("Mom", JULY_2, None),
    ]
    assert parsed_factors(FRENCH, dataset="d").unit == "fraction"


@pytest.mark.parametrize("ending", ["\r\n", "\n"])
def test_line_endings_and_a_file_without_an_annual_section_do_not_matter(ending: str) -> None:
    text = ending.join([",Mkt-RF", "19630701,-0.67", "19630702,0.79"])
    assert [value for _, _, value in rows_of(text)] == [-0.0067, 0.0079]


def test_the_values_of_fred_stay_as_they_are_and_a_dot_is_nothing() -> None:
    assert rows_of(FRED) == [
        ("DGS10", dt.date(2024, 1, 1), None),
        ("DGS10", dt.date(2024, 1, 2), 3.95),
        ("VIXCLS", dt.date(2024, 1, 1), None),
        ("VIXCLS", dt.date(2024, 1, 2), 13.2),
    ]
    assert parsed_factors(FRED, dataset="d").unit == "as in the file"


@pytest.mark.parametrize("header", ["DATE,VALUE", "date,value", '"DATE","VALUE"', "\ufeffDATE,VALUE"])
def test_the_older_header_of_fred_is_known_too(header: str) -> None:
    assert [value for _, _, value in rows_of(f"{header}\n2024-01-02,3.95\n")] == [3.95]


def test_a_file_of_a_header_alone_has_no_values() -> None:
    assert rows_of("DATE,VALUE\n") == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "neither a column named DATE"),
        ("a,b\n1,2\n", "neither a column named DATE"),
        ("<html>Not found</html>", "neither a column named DATE"),
        (",Mkt-RF\n196307,1.0\n", "take the file whose name ends in _daily"),
        ("19630701,1.0\n", "without a header"),
        ("prose\n,A\n19630701,1.0\n\n,A\n19630701,2.0\n", "2 sections of daily rows"),
        (",A,B\n19630701,1.0\n", r"line 2 \('19630701,1.0'\): expected a date and 2 values"),
        (",A\n19630701,1.0,2.0\n", "expected a date and 1 values"),
        (",A\n19630701,1.0\n19630231,1.0\n", "line 3"),
        (",A\n19630701,1.0\n19630701,1.0\n", "1963-07-01 comes more than once"),
        (",A\n19630701,1.0\n19630702,\n", "line 3"),
        (",A\n19630701,one\n", "line 2"),
        (",A\n19630701,inf\n", "line 2"),
        (",A\n19630701,nan\n", "line 2"),
        (",A\n19630701,1.0\nCopyright\n", "line 3"),
        (",A,A\n19630701,1.0,1.0\n", "names every series once"),
        (",A,\n19630701,1.0,1.0\n", "names every series once"),
        ("prose without names\n19630701,1.0\n", "names every series once"),
        ("DATE\n2024-01-02\n", "names every series once"),
        ("DATE,V\n2024-01-02,#N/A\n", "line 2"),
        ("DATE,V\n02/01/2024,1\n", "line 2"),
        ("DATE,V\n2024-01-02,1\n2024-01-02,1\n", "2024-01-02 comes more than once"),
    ],
)
def test_what_a_header_does_not_promise_is_refused_with_its_line(text: str, reason: str) -> None:
    with pytest.raises(BadDataError, match=reason) as caught:
        parsed_factors(text, dataset="ff5")
    assert (caught.value.source, caught.value.ticker) == ("factors", "ff5")


@given(st.lists(st.integers(-9_000, 9_000), min_size=1, max_size=50))
def test_every_daily_value_comes_back_as_a_hundredth(basis_points: list[int]) -> None:
    days = [dt.date(2020, 1, 1) + dt.timedelta(days=number) for number in range(len(basis_points))]
    lines = [f"{day:%Y%m%d},{points / 100:8.2f}" for day, points in zip(days, basis_points, strict=True)]
    found = rows_of("\n".join([",A", *lines, "", "Copyright"]))
    assert [day for _, day, _ in found] == days
    assert [value for _, _, value in found] == [points / 10_000 for points in basis_points]
