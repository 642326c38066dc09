"""Precision and recall of the quality rules on recorded dirt, and what they cost.

Usage: ``python benchmarks/quality.py [FOLDER]`` prints the tables of docs/quality.md. The folder of shared market data
is taken from PARAKEET_SHARED_DATA when it is not given; nothing of it is written anywhere.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.known_dirt import DATA_SETS, judged_file  # noqa: E402  the path is set above
from support.repair_pairs import KINDS, Score, measured, pair_names  # noqa: E402  the path is set above


def main() -> None:
    """Print both tables."""
    chosen = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("PARAKEET_SHARED_DATA")
    if chosen is None:
        sys.exit("name the folder of shared market data, or set PARAKEET_SHARED_DATA")
    _print_pairs(Path(chosen))
    _print_files(Path(chosen))


def _print_pairs(folder: Path) -> None:
    print("| file | rows | " + " | ".join(f"{kind}: dirty, flagged, both" for kind in KINDS) + " |")
    print("|---|---:|" + "---:|" * len(KINDS))
    totals = dict.fromkeys(KINDS, Score())
    for name in pair_names(folder):
        found = measured(folder, name)
        cells = [found.scores[kind] for kind in KINDS]
        print(
            f"| {name} | {found.n_rows} | " + " | ".join(f"{it.dirty}, {it.flagged}, {it.both}" for it in cells) + " |"
        )
        totals = {kind: totals[kind] + found.scores[kind] for kind in KINDS}
    for measure in ("precision", "recall"):
        figures = [f"{getattr(totals[kind], measure):.3f}" for kind in KINDS]
        print(f"| **{measure}** | | " + " | ".join(figures) + " |")
    print()


def _print_files(folder: Path) -> None:
    print("| file | bars | quarantined | single rows, s per million | series, s per million | rules |")
    print("|---|---:|---:|---:|---:|---|")
    for name in DATA_SETS:
        found = judged_file(folder, name, clock=time.process_time)
        millions = found.bars.num_rows / 1e6
        costs = f"{found.rows_s / millions:.2f} | {found.series_s / millions:.2f}"
        rules = ", ".join(f"{rule} {count:,}" for rule, count in found.counts.items())
        print(f"| {name} | {found.bars.num_rows:,} | {len(found.quarantined):,} | {costs} | {rules} |")


if __name__ == "__main__":
    main()
