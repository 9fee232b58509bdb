"""The command line as a user types it, and two crowds to count."""

from __future__ import annotations

import subprocess
import sys

from crowdscale.points import Points

CROWD = Points([[x, y] for y in range(60, 140, 10) for x in range(60, 180, 10)])
FEW = Points([[30, 30], [200, 40]])


def crowdscale(*arguments, **options):
    command = [sys.executable, "-m", "crowdscale", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, **options)
