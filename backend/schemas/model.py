"""What all models of the HTTP interface share."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Model(BaseModel):
    """Base of answers, whose validator is built when it is first needed: no Lambda ever gives half of them."""

    model_config = ConfigDict(defer_build=True)


class Strict(BaseModel):
    """Base of requests: an unknown field is an error."""

    # Built at once: FastAPI makes a body's validator more than a model's, and hides pydantic's warning only then.
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
