"""Handler modules loaded as fresh Lambda containers load them."""

from __future__ import annotations

import asyncio
import importlib
import json
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

from backend.container import Container

#: What Lambda tells a handler about the invocation, as far as our logs use it.
CONTEXT = SimpleNamespace(
    function_name="parakeet-test",
    memory_limit_in_mb=512,
    invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:parakeet-test",
    aws_request_id="8f507cfc-xmpl-4697-b07a-ac58fc914c95",
)


class Containers:
    """Loads handler modules as fresh containers do, and shuts them down."""

    def __init__(self) -> None:
        self._started: list[Container] = []

    def load(self, module: str) -> ModuleType:
        """The module, imported anew."""
        sys.modules.pop(module, None)
        loaded = importlib.import_module(module)
        self._started.append(loaded.container)
        return loaded

    def invoke(self, area: str, event: dict[str, Any]) -> Any:  # Any: JSON
        """Body of what a Lambda answers an event of API Gateway."""
        answer = self.load(f"backend.handlers.{area}").handler(event, CONTEXT)
        assert answer["statusCode"] == 200, answer["body"]
        return json.loads(answer["body"])

    def shut_down(self) -> None:
        """Close what they hold."""
        for container in self._started:
            container.run(container.resources.engine.dispose())
            container.loop.close()
        asyncio.set_event_loop(None)
