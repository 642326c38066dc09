"""The quality report as one HTML page that needs nothing else: no script, no style sheet, no font of another place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from backend.ingest.quality.rules import RULES
from backend.services.quality_report import QualityReport

_Row = Sequence[str | int]

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; color: #1d2430;
  background: #fff }
h1 { font-size: 1.5rem } h2 { font-size: 1.15rem; margin-top: 2rem }
table { border-collapse: collapse; width: 100% } th, td { padding: .3rem .6rem; border-bottom: 1px solid #d9dee6 }
th { text-align: left } td.n { text-align: right; font-variant-numeric: tabular-nums }
.bad { color: #a11 } .suspect { color: #855c00 }
@media (prefers-color-scheme: dark) {
  body { background: #14181f; color: #dde3ec } th, td { border-color: #333b48 }
  .bad { color: #ff8a80 } .suspect { color: #ffcc66 }
}
"""


def quality_page(report: QualityReport) -> str:
    """The report as HTML; every text in it is escaped."""
    total = sum(report.quality.values())
    counts: list[_Row] = [[name, report.quality[name], _share(report.quality[name], total)] for name in report.quality]
    rules: list[_Row] = [[item.rule, item.severity, item.bars, item.tickers, item.says] for item in report.rules]
    worst: list[_Row] = [
        [item.ticker, item.bars, item.bad, item.suspect, _listed(f"{name}: {n:,}" for name, n in item.rules.items())]
        for item in report.worst
    ]
    bars: list[_Row] = [
        [bar.ticker, bar.date.isoformat(), f"{bar.close:,.6g}", bar.source, bar.quality, _listed(bar.rules)]
        for bar in report.flagged
    ]
    refused: list[_Row] = [[name, rule.says] for name, rule in RULES.items() if rule.severity == "quarantined"]
    sections: list[tuple[str, Sequence[str], Sequence[_Row]]] = [
        ("Bars", ("quality", "bars", "share"), counts),
        ("Rules on stored bars", ("rule", "severity", "bars", "tickers", "meaning"), rules),
        ("Tickers with the largest share", ("ticker", "bars", "bad", "suspect", "rules"), worst),
        ("Newest doubtful bars", ("ticker", "session", "close", "source", "quality", "rules"), bars),
        ("Rules that keep a row out of the store", ("rule", "meaning"), refused),
    ]
    title = escape(f"Quality of {report.universe}")
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head><body>'
        f"<h1>{title}</h1><p>As known at {escape(f'{report.as_of:%Y-%m-%d %H:%M:%S} UTC')}. "
        "Suspect bars are served and counted; bad bars are stored and not served.</p>"
        + "".join(_table(*section) for section in sections)
        + "</body></html>\n"
    )


def _table(title: str, headers: Sequence[str], rows: Sequence[_Row]) -> str:
    if not rows:
        return f"<h2>{escape(title)}</h2><p>None.</p>"
    head = "".join(f'<th scope="col">{escape(header)}</th>' for header in headers)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    return f"<h2>{escape(title)}</h2><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(value: str | int) -> str:
    if isinstance(value, int):
        return f'<td class="n">{value:,}</td>'
    kind = f' class="{value}"' if value in {"bad", "suspect"} else ""
    return f"<td{kind}>{escape(value)}</td>"


def _listed(texts: Iterable[str]) -> str:
    return ", ".join(texts)


def _share(part: int, total: int) -> str:
    return f"{part / total:.3%}" if total else "-"
