"""The table of rules, and the page that tells of it."""

from __future__ import annotations

from pathlib import Path

from backend.ingest.quality.rules import RULES


def test_the_page_on_quality_names_every_rule_with_its_meaning() -> None:
    page = (Path(__file__).resolve().parents[5] / "docs" / "quality.md").read_text(encoding="utf-8")
    missing = [name for name, rule in RULES.items() if f"| `{name}` | {rule.severity} | {rule.says} |" not in page]
    assert missing == []
