"""Quality control: rows that may not be stored are set aside, bars that may be doubted get a verdict.

1. `bars` and `actions` look at single rows of one ticker, as soon as they are fetched, and quarantine.
2. `verdicts` looks at whole series of many tickers, before they are stored and again in an audit.
"""
