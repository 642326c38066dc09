"""`parakeet data quality` and `parakeet data reconcile`: whether what is stored can be believed."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from backend.commands.running import Json, UniverseKey, run
from backend.commands.terminal import INCOMPLETE, console, print_json, print_rows, reported_errors
from backend.config import Settings
from backend.resources import Resources

if TYPE_CHECKING:
    from backend.services.quality_audit import Audit
    from backend.services.reconciliation import Reconciliation, TickerComparison


def quality(
    universe: UniverseKey,
    *,
    store: Annotated[bool, typer.Option("--store", help="Store verdicts that changed, as new versions.")] = False,
    html: Annotated[Path | None, typer.Option(help="Write the report as an HTML page to this file.")] = None,
    as_json: Json = False,
) -> None:
    """Judge every stored bar of a universe again, by the rules of docs/quality.md."""
    from backend.services.quality_audit import audit_universe  # noqa: PLC0415  start-up
    from backend.services.quality_page import quality_page  # noqa: PLC0415  start-up

    async def audited(resources: Resources) -> Audit:
        return await audit_universe(resources.engine, universe, is_stored=store)

    with reported_errors(as_json=as_json):
        audit = run(Settings(), audited)
    if html is not None:
        html.write_text(quality_page(audit.report), encoding="utf-8")
    if as_json:
        print_json(asdict(audit))
    else:
        _print_audit(audit)


def reconcile(
    universe: UniverseKey,
    source: Annotated[str, typer.Option(help="The other source: sample, files, yahoo or tiingo.")],
    *,
    path: Annotated[Path | None, typer.Option(help="files: a CSV or Parquet file, or a folder of them.")] = None,
    columns: Annotated[list[str] | None, typer.Option("--map", help="files: their=ours, repeatable.")] = None,
    tickers: Annotated[str | None, typer.Option(help="Only these, separated by commas.")] = None,
    as_json: Json = False,
) -> None:
    """Compare what is stored with another source; nothing is written. Exit 1 when any close differs by over 1 %."""
    from backend.commands.ingest import other_source  # noqa: PLC0415  start-up
    from backend.services.reconciliation import reconcile as compare  # noqa: PLC0415  start-up

    settings = Settings()
    chosen = [name.strip() for name in tickers.split(",") if name.strip()] if tickers else None

    async def compared(resources: Resources) -> Reconciliation:
        other = other_source(settings, source, path=path, columns=columns or (), universe=universe)
        try:
            today = dt.datetime.now(dt.UTC).date()
            concurrency = settings.ingest_concurrency
            return await compare(
                resources.engine, universe, other, today=today, tickers=chosen, concurrency=concurrency
            )
        finally:
            await other.close()

    with reported_errors(as_json=as_json):
        found = run(settings, compared)
    if as_json:
        print_json(asdict(found))
    else:
        _print_reconciliation(found)
    if any(ticker.failure or _different_closes(ticker) for ticker in found.tickers):
        raise typer.Exit(INCOMPLETE)


def add_quality_commands(app: typer.Typer) -> None:
    """Put the commands of this module under another one."""
    app.command()(quality)
    app.command()(reconcile)


def _print_audit(audit: Audit) -> None:
    report = audit.report
    broken = [asdict(item) for item in report.rules if item.bars]
    print_rows(
        f"Rules broken in {report.universe}",
        broken,
        {"rule": "rule", "severity": "severity", "bars": "bars", "tickers": "tickers"},
    )
    worst = [asdict(item) | {"rules": ", ".join(item.rules)} for item in report.worst[:10]]
    print_rows(
        "Tickers with the largest share",
        worst,
        {"ticker": "ticker", "bars": "bars", "bad": "bad", "suspect": "suspect", "rules": "rules"},
    )
    counts = ", ".join(f"{count:,} {name}" for name, count in report.quality.items())
    changed = f"{audit.n_changed:,} verdicts differ from the stored ones"
    console.print(f"{audit.n_bars:,} bars: {counts}; {changed}, {audit.n_stored:,} stored", soft_wrap=True)


def _print_reconciliation(found: Reconciliation) -> None:
    differing = [ticker for ticker in found.tickers if ticker.failure or _different_closes(ticker)]
    rows = [_row(ticker) for ticker in differing]
    headers = {"ticker": "ticker", "both": "sessions", "different": "closes differ", "factor": "by a factor"}
    print_rows(f"{found.universe} against {found.source}", rows, headers | {"failure": "failure"})
    shares = found.share("close")
    told = ", ".join(f"{share:.2%} {kind}" for kind, share in shares.items()) or "no session in both"
    only = (sum(getattr(item, name) for item in found.tickers) for name in ("only_stored", "only_other"))
    console.print(
        f"{len(found.tickers):,} tickers; closes {told}; {next(only):,} sessions only stored, "
        f"{next(only):,} only in the other source",
        soft_wrap=True,
    )


def _row(ticker: TickerComparison) -> dict[str, Any]:  # Any: cells of mixed types
    factor = ticker.factor
    told = f"{factor.ratio:.6g} from {factor.first} to {factor.last}" if factor else None
    return {
        "ticker": ticker.ticker,
        "both": ticker.both,
        "different": _different_closes(ticker),
        "factor": told,
        "failure": ticker.failure,
    }


def _different_closes(ticker: TickerComparison) -> int:
    return sum(item.different for item in ticker.fields if item.field == "close")
