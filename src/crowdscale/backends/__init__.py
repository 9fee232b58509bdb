"""Backends run a model: one file each, opened by name."""

from crowdscale.backends.base import Backend, NetworkOutput
from crowdscale.backends.opening import BACKENDS, open_backend, share_cores

__all__ = ["BACKENDS", "Backend", "NetworkOutput", "open_backend", "share_cores"]
