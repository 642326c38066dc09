"""The registry: what is found, what is refused, and what is not imported on the way."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from strategy.errors import ParameterError, UnknownStrategyError
from strategy.library.buy_and_hold import BUY_AND_HOLD
from strategy.library.dual_momentum import DUAL_MOMENTUM
from strategy.library.equal_weight import EQUAL_WEIGHT
from strategy.registry import LIBRARY, find_strategy, parsed_parameters, strategy_paths

ROOT = Path(__file__).resolve().parents[3]
Install = Callable[[str], None]

HEAVY_IMPORTS = """
import sys
from strategy.registry import LIBRARY, find_strategy, parsed_parameters
for key in LIBRARY:
    parsed_parameters(find_strategy(key), {}).model_json_schema()
print(*sorted({"pandas", "scipy", "sklearn", "pyarrow", "sqlalchemy", "boto3"} & sys.modules.keys()))
"""

HIERARCHICAL_RISK_PARITY_COMPUTES = """
import sys
import numpy as np
from strategy.allocation.hierarchical_risk_parity import hierarchical_risk_parity
hierarchical_risk_parity(np.eye(1))
print("scipy" in sys.modules)
hierarchical_risk_parity(np.eye(2))
print("scipy" in sys.modules)
"""


def printed_by(program: str) -> str:
    """What a fresh interpreter prints."""
    done = subprocess.run(  # noqa: S603  our own interpreter and the constants above
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Installs a package that declares one line of the entry-point group of strategies."""

    def install_entry(line: str) -> None:
        metadata = tmp_path / "acme_strategies-1.0.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-strategies\nVersion: 1.0\n")
        (metadata / "entry_points.txt").write_text(f"[parakeet.strategies]\n{line}\n")
        monkeypatch.syspath_prepend(tmp_path)

    return install_entry


def test_every_strategy_of_ours_is_listed() -> None:
    assert LIBRARY.keys() <= strategy_paths().keys()


def test_the_list_is_sorted_by_key() -> None:
    assert list(strategy_paths()) == sorted(strategy_paths())


def test_a_key_finds_its_strategy() -> None:
    assert find_strategy("buy_and_hold") is BUY_AND_HOLD


@pytest.mark.parametrize("key", ["astrology", "", "BUY_AND_HOLD", "strategy.library.buy_and_hold:BUY_AND_HOLD"])
def test_an_unknown_key_is_named_with_those_that_are_known(key: str) -> None:
    with pytest.raises(UnknownStrategyError, match="buy_and_hold, dual_momentum") as caught:
        find_strategy(key)
    assert caught.value.key == key
    assert caught.value.known == tuple(strategy_paths())


def test_an_installed_package_adds_its_strategy(install: Install) -> None:
    install("acme_even = strategy.library.equal_weight:EQUAL_WEIGHT")
    assert "acme_even" in strategy_paths()
    assert list(strategy_paths()) == sorted(strategy_paths())
    assert find_strategy("acme_even") is EQUAL_WEIGHT


def test_an_installed_package_cannot_replace_one_of_ours(install: Install) -> None:
    install("buy_and_hold = strategy.library.equal_weight:EQUAL_WEIGHT")
    assert strategy_paths()["buy_and_hold"] == LIBRARY["buy_and_hold"]
    assert find_strategy("buy_and_hold") is BUY_AND_HOLD


def test_an_entry_point_that_is_no_strategy_is_not_found(install: Install) -> None:
    install("acme_number = strategy.library.hierarchical_risk_parity:RETURN_ROUNDING")
    with pytest.raises(UnknownStrategyError, match="acme_number"):
        find_strategy("acme_number")


def test_an_entry_point_is_not_imported_before_it_is_asked_for(install: Install) -> None:
    install("acme_absent = acme_absent_module:STRATEGY")
    assert "acme_absent" in strategy_paths()
    with pytest.raises(ModuleNotFoundError, match="acme_absent_module"):
        find_strategy("acme_absent")


def test_raw_values_become_parameters() -> None:
    parameters = parsed_parameters(DUAL_MOMENTUM, {"lookback": 126, "defensive": ["SHY"]})
    assert parameters.model_dump() == {
        "lookback": 126,
        "skip": 0,
        "top_n": 3,
        "risk_free_rate": 0.0,
        "periods_per_year": 252,
        "defensive": ("SHY",),
    }


def test_the_first_wrong_field_is_named_with_its_value_and_the_reason() -> None:
    with pytest.raises(ParameterError, match=r"parameter lookback=1: .*greater than or equal to 2") as caught:
        parsed_parameters(DUAL_MOMENTUM, {"lookback": 1})
    assert (caught.value.field, caught.value.value) == ("lookback", 1)


def test_a_wrong_item_of_a_list_is_named_by_its_place() -> None:
    with pytest.raises(ParameterError) as caught:
        parsed_parameters(DUAL_MOMENTUM, {"defensive": ["SHY", 7]})
    assert (caught.value.field, caught.value.value) == ("defensive.1", 7)


def test_looking_up_every_strategy_imports_nothing_heavy() -> None:
    assert printed_by(HEAVY_IMPORTS) == ""


def test_scipy_comes_in_when_hierarchical_risk_parity_has_a_tree_to_build() -> None:
    assert printed_by(HIERARCHICAL_RISK_PARITY_COMPUTES).split() == ["False", "True"]
