"""What became known otherwise between two moments: bars and corporate actions that were rewritten."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

from backend.database.actions import ActionRecord, actions
from backend.database.models.market import Bar, CorporateAction, SupersededBar

BAR_FIELDS = ("open", "high", "low", "close", "volume", "data_quality")


@dataclass(frozen=True, slots=True, kw_only=True)
class Restatement:
    """One field that said something else at the first moment than at the second.

    Parameters
    ----------
    ticker : str
        Id of the instrument.
    date : date
        Session of the bar, or ex-date of the action.
    field : str
        One of BAR_FIELDS, or a kind of action.
    before, after : float, str or None
        None: no such value; as `after` of every field of a bar: the bar was removed.
    known_at : datetime or None
        When the later value became known; None where it was removed or withdrawn.
    source : str
        Who said so before.
    """

    ticker: str
    date: dt.date
    field: str
    before: float | str | None
    after: float | str | None
    known_at: dt.datetime | None
    source: str | None


async def restated_bars(
    connection: AsyncConnection,
    tickers: Sequence[str] | None,
    *,
    earlier: dt.datetime,
    later: dt.datetime,
    after: tuple[str, dt.date] | None = None,
    limit: int,
) -> list[Restatement]:
    """Every changed field of at most `limit` bars, sorted by ticker and date, those behind the cursor `after` first.

    Bars that were unknown at the earlier moment are news, not restatements.

    Parameters
    ----------
    tickers : sequence of str or None
        None: all.
    """
    rows = await connection.execute(_restated(tickers, earlier, later, after).limit(limit))
    return [change for row in rows.all() for change in _changes(row._mapping)]


async def restated_actions(
    connection: AsyncConnection, tickers: Sequence[str] | None, *, earlier: dt.datetime, later: dt.datetime
) -> list[Restatement]:
    """Actions that were corrected or withdrawn, or had passed by the earlier moment and were learned only after it."""
    query = (
        select(CorporateAction.ticker)
        .distinct()
        .where(
            CorporateAction.known_at > earlier,
            CorporateAction.known_at <= later,
            *([] if tickers is None else [CorporateAction.ticker.in_(tickers)]),
        )
    )
    touched = sorted(await connection.scalars(query))
    before = _by_key(await actions(connection, touched, as_of=earlier))
    after = _by_key(await actions(connection, touched, as_of=later))
    return [
        Restatement(
            ticker=key[0],
            date=key[1],
            field=key[2],
            before=_said(before.get(key)),
            after=_said(after.get(key)),
            known_at=after[key].known_at if key in after else None,
            source=None,
        )
        for key in sorted(before.keys() | after.keys())
        if _said(before.get(key)) != _said(after.get(key)) and (key in before or key[1] <= earlier.date())
    ]


def _restated(
    tickers: Sequence[str] | None, earlier: dt.datetime, later: dt.datetime, after: tuple[str, dt.date] | None
) -> Select[Any]:  # Any: columns of mixed types
    """The version at the earlier moment of every bar that was superseded since, beside the version at the later."""
    old, newest, kept = aliased(SupersededBar), aliased(Bar), aliased(SupersededBar)
    columns = [getattr(old, name).label(f"old_{name}") for name in (*BAR_FIELDS, "source")]
    columns += [getattr(newest, name).label(f"newest_{name}") for name in (*BAR_FIELDS, "known_at")]
    columns += [getattr(kept, name).label(f"kept_{name}") for name in (*BAR_FIELDS, "known_at")]
    query = (
        select(old.ticker, old.date, *columns)
        .outerjoin(newest, and_(*_same_bar(old, newest), newest.known_at <= later))
        .outerjoin(kept, and_(*_same_bar(old, kept), kept.known_at <= later, kept.superseded_at > later))
        .where(old.known_at <= earlier, old.superseded_at > earlier, old.superseded_at <= later)
        .order_by(old.ticker, old.date)
    )
    if tickers is not None:
        query = query.where(old.ticker.in_(tickers))
    if after is not None:
        ticker, date = after
        query = query.where(or_(old.ticker > ticker, and_(old.ticker == ticker, old.date > date)))
    # A bar that was restated and restored says the same at both moments.
    return query.where(~or_(_says_the_same(newest, old), _says_the_same(kept, old)))


def _says_the_same(version: Any, old: Any) -> ColumnElement[bool]:  # Any: aliased models
    same = [getattr(version, name).is_not_distinct_from(getattr(old, name)) for name in BAR_FIELDS]
    return and_(version.known_at.is_not(None), *same)


def _same_bar(one: Any, other: Any) -> tuple[ColumnElement[bool], ColumnElement[bool]]:  # Any: aliased models
    return one.ticker == other.ticker, one.date == other.date


def _changes(row: Mapping[str, Any]) -> Iterator[Restatement]:  # Any: a row of mixed columns
    version = "newest" if row["newest_known_at"] is not None else "kept"
    for name in BAR_FIELDS:
        before, after = row[f"old_{name}"], row[f"{version}_{name}"]
        if before != after:
            yield Restatement(
                ticker=row["ticker"],
                date=row["date"],
                field=name,
                before=before,
                after=after,
                known_at=row[f"{version}_known_at"],
                source=row["old_source"],
            )


def _by_key(records: Iterable[ActionRecord]) -> dict[tuple[str, dt.date, str], ActionRecord]:
    return {(record.ticker, record.ex_date, record.kind): record for record in records}


def _said(record: ActionRecord | None) -> float | str | None:
    return None if record is None else record.new_symbol or record.value
