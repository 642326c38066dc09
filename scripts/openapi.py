"""Write frontend/openapi.json, the API's own description, from which the page's types are generated: no server needed.

`scripts/openapi` runs this and then generates the types; a test fails when the file is not what the code says.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from fastapi import FastAPI

from backend.main import make_main_app

PATH = Path(__file__).resolve().parents[1] / "frontend" / "openapi.json"


def rendered_document(app: FastAPI) -> str:
    """OpenAPI document of an application, sorted and indented so that a change is a small diff."""
    return json.dumps(app.openapi(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def main() -> int:
    """Write the document of the whole API."""
    PATH.write_text(rendered_document(make_main_app()), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
