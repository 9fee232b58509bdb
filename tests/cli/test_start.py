"""From a cold start to one photo's answer: what takes long to import, and is not needed for it, is not imported."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

PHOTO = Path(__file__).parents[2] / "examples" / "auditorium.jpg"

SLOW = ("torch", "scipy", "fsspec", "asyncio", "rich.progress", "numpy.ma", "openvino", "onnx")

ANSWER = f"""
import sys
from crowdscale.cli.main import main
try:
    main()
finally:
    print("loaded", [name for name in {SLOW} if name in sys.modules])
"""


def test_one_photo_loads_nothing_that_it_does_not_need():
    command = [sys.executable, "-c", ANSWER, "count", str(PHOTO)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert re.match(r"\d+ people", done.stdout)
    assert done.stdout.splitlines()[-1] == "loaded []"
