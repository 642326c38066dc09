"""Settings: which URL wins, what counts as unset, and that no secret is ever shown."""

from __future__ import annotations

import re
import traceback
from pathlib import Path

import pytest
from pydantic import ValidationError

from backend.config import ROOT, Settings

TEMPLATE = ROOT / "env.template"
NEON = "postgresql://me:very-secret@ep-x-pooler.us-east-2.aws.neon.tech/neondb?sslmode=require&channel_binding=require"
DEFAULT = f"sqlite:///{ROOT / 'data' / 'trades.db'}"


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def settings_of(folder: Path, *lines: str) -> Settings:
    file = folder / ".env"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return Settings(_env_file=file)


def test_without_any_url_the_database_is_sqlite_in_the_data_folder() -> None:
    settings = Settings(_env_file=None)
    assert settings.async_source_url() == DEFAULT
    assert settings.direct_source_url() == DEFAULT


def test_database_url_is_used_while_there_is_no_neon_url(tmp_path: Path) -> None:
    assert settings_of(tmp_path, "DATABASE_URL=sqlite:///mine.db").async_source_url() == "sqlite:///mine.db"


def test_neon_database_url_wins_over_database_url(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, "DATABASE_URL=sqlite:///mine.db", f"NEON_DATABASE_URL={NEON}")
    assert settings.async_source_url() == NEON
    assert settings.direct_source_url() == NEON


def test_the_direct_url_serves_migrations_only(tmp_path: Path) -> None:
    direct = NEON.replace("-pooler", "")
    settings = settings_of(tmp_path, f"NEON_DATABASE_URL={NEON}", f"NEON_DIRECT_URL={direct}")
    assert settings.direct_source_url() == direct
    assert settings.async_source_url() == NEON


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CACHE_URL", "s3://bucket/prefix")
    assert settings_of(tmp_path, "CACHE_URL=elsewhere").cache_url == "s3://bucket/prefix"


def test_a_blank_in_the_environment_unsets_what_the_file_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEON_DATABASE_URL", "")
    assert settings_of(tmp_path, f"NEON_DATABASE_URL={NEON}").async_source_url() == DEFAULT


def test_every_blank_setting_counts_as_unset(tmp_path: Path) -> None:
    blank = settings_of(tmp_path, *(f"{name.upper()}=" for name in Settings.model_fields))
    assert blank == Settings(_env_file=None)


def test_the_untouched_template_changes_nothing_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    settings = Settings(_env_file=TEMPLATE)
    assert settings == Settings(_env_file=None)
    assert settings.async_source_url() == DEFAULT
    (warning,) = caplog.messages
    assert warning.startswith("NEON_DATABASE_URL still holds the placeholder")


def test_a_half_filled_template_still_counts_as_unset(tmp_path: Path) -> None:
    half = "NEON_DATABASE_URL=postgresql://me:YOUR-PASSWORD@ep-x.us-east-2.aws.neon.tech/neondb"
    assert settings_of(tmp_path, half).async_source_url() == DEFAULT


def test_secrets_are_in_no_text_of_the_settings(tmp_path: Path) -> None:
    names = ("NEON_DATABASE_URL", "NEON_DIRECT_URL", "DATABASE_URL", "TIINGO_API_KEY")
    settings = settings_of(tmp_path, *(f"{name}=very-secret" for name in names))
    shown = f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"
    assert "very-secret" not in shown


def test_a_refused_setting_does_not_drag_secrets_into_the_message(tmp_path: Path) -> None:
    with pytest.raises(ValidationError) as caught:
        settings_of(tmp_path, f"NEON_DATABASE_URL={NEON}", "INGEST_CONCURRENCY=many")
    assert "ingest_concurrency" in str(caught.value)
    assert "very-secret" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    "line",
    ["INGEST_CONCURRENCY=0", "INGEST_CONCURRENCY=65", "DATABASE_POOL_SIZE=0", "DATABASE_CONNECT_TIMEOUT_S=0"],
)
def test_a_number_out_of_bounds_is_refused_by_name(tmp_path: Path, line: str) -> None:
    with pytest.raises(ValidationError, match=line.partition("=")[0].lower()):
        settings_of(tmp_path, line)


def test_the_template_names_every_setting_and_nothing_else() -> None:
    named = re.findall(r"^(?:# )?([A-Z][A-Z0-9_]+)=", TEMPLATE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(named) == sorted(name.upper() for name in Settings.model_fields)
