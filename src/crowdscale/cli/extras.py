"""Whether the libraries of an extra are there, said before any of them is imported."""

from __future__ import annotations

from importlib.util import find_spec

from crowdscale.errors import MissingExtraError

__all__ = ["need_learn"]


def need_learn(what: str) -> None:
    """Raise MissingExtraError where ``what`` needs the extra [learn] and it is not installed."""
    for library in ("torch", "lightning_fabric", "safetensors", "onnx"):
        if find_spec(library) is None:
            raise MissingExtraError(what, "learn")
