"""Options of the service: its address, its limits, and who may use it."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from crowdscale.errors import OptionError

__all__ = ["ServeOptions"]

MEGABYTE = 1_000_000
FEWEST_SIGNS = 16
"""Signs of a token below which it is too easy to guess."""


@dataclass(frozen=True)
class ServeOptions:
    """How the service runs."""

    host: str = "127.0.0.1"
    """Address to bind to; another than this machine's own needs a token."""
    port: int = 8000
    """Port; 0 takes a free one."""
    token: str = ""
    """What every request has to carry, as ``Authorization: Bearer TOKEN``."""
    hosts: tuple[str, ...] = ()
    """Further names under which the service is reached, as a proxy's."""
    max_bytes: int = 50 * MEGABYTE
    """Largest photo in bytes."""
    max_pixels: int = 100_000_000
    """Largest photo in pixels, checked before it is decoded."""
    waiting: int = 8
    """Photos that may wait while one is counted; more are refused with 503."""
    timeout: float = 120.0
    """Seconds after which a request is given up, waiting included."""
    upload: float = 60.0
    """Seconds within which a request has to arrive."""
    batch: int = 500
    """Most photos of one batch."""
    corrections: Path | None = None
    """Folder for corrected photos; None keeps corrections in the browser."""
    folder: Path | None = None
    """The user's own photos, whose heads the page saves beside them; None opens none."""
    sources: Mapping[str, str] = field(default_factory=dict)
    """Videos and cameras that may be watched, by name; a request cannot name others."""

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65535:
            raise OptionError("expected a port from 0 to 65535", str(self.port))
        least = min(self.max_bytes, self.max_pixels, self.batch)
        if least < 1 or self.waiting < 0 or min(self.timeout, self.upload) <= 0:
            raise OptionError("expected limits above 0", "one of 0 or less")
        if self.token and len(self.token) < FEWEST_SIGNS:
            raise OptionError(f"The token is too short: use {FEWEST_SIGNS} signs or more")
        if not self.token and not self.is_local:
            raise OptionError(
                f"The address {self.host} is open to other machines and needs a token",
                "",
                "Set CROWDSCALE_TOKEN or use --token",
            )

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach the address."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def known_hosts(self) -> frozenset[str]:
        """Names, without port, that the ``Host`` header of a request may carry."""
        return frozenset({"localhost", "127.0.0.1", "[::1]", self.host.lower(), *map(str.lower, self.hosts)})
