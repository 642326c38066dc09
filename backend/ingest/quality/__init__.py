"""Quality control: rows that may not be stored are set aside, bars that may be doubted get a verdict.

1. `bars` and `actions` look at single rows of one ticker, as soon as they are fetched, and quarantine.
2. `verdicts` looks at whole series of many tickers, before they are stored and again in an audit.
"""

from backend.ingest.quality.actions import checked_actions
from backend.ingest.quality.quarantine import Checked, Quarantined
from backend.ingest.quality.rules import RULES, VERDICTS
from backend.ingest.quality.versions import checked, version_numbers

__all__ = ["RULES", "VERDICTS", "Checked", "Quarantined", "checked", "checked_actions", "version_numbers"]
