"""Programs that measure, each run by its name with `scripts/bench`."""
