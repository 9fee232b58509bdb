"""The local service: a page and an HTTP interface to one model on this machine."""

from crowdscale.serve.app import create_app
from crowdscale.serve.options import ServeOptions
from crowdscale.serve.running import run_service

__all__ = ["ServeOptions", "create_app", "run_service"]
