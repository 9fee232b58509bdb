"""The page's engine against the Python package: resizing to the byte, counts, heads, regions, intervals and warnings."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from crowdscale import PredictOptions, load
from crowdscale.counting.read_scale import ReadScaleOptions
from crowdscale.counting.tiles import TileOptions
from crowdscale.maps.agreement import allot
from crowdscale.maps.distance import window_minima
from crowdscale.models.description import read_config, write_config
from crowdscale.models.finding import BUNDLED
from crowdscale.serve.page import find_page
from crowdscale.serve.runtime import cached_runtime
from crowdscale.trust.confidence import HeadConfidence
from crowdscale.trust.profile import SENTENCES, TURNED, UNLIKE

NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(NODE is None, reason="Node is not installed")

CURVE = HeadConfidence(0.4, 3.5, 8.0, 9000, 55)
PHOTO = Path(__file__).parents[2] / "examples" / "auditorium.jpg"


def run(job: dict[str, Any], folder: Path) -> Any:
    file = folder / "job.json"
    file.write_text(json.dumps(job))
    command = [str(NODE), str(Path(__file__).with_name("engine.mjs")), str(find_page()), str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def saved(pixels: np.ndarray, path: Path) -> dict[str, Any]:
    pixels.tofile(path)
    return {"file": str(path), "width": pixels.shape[1], "height": pixels.shape[0]}


SIZES = [
    ("linear", (53, 37), (71, 50)), ("linear", (77, 101), (70, 95)), ("linear", (45, 67), (170, 200)),
    ("linear", (64, 64), (64, 90)), ("area", (80, 100), (51, 63)), ("area", (80, 100), (40, 50)),
    ("area", (90, 99), (30, 33)), ("area", (60, 50), (61, 49)), ("area", (300, 400), (300, 123)),
]  # fmt: skip


def test_resizing_equals_opencv_to_the_byte(tmp_path):
    random = np.random.default_rng(3)
    how = {"area": cv2.INTER_AREA, "linear": cv2.INTER_LINEAR}
    jobs, known = [], []
    for number, (kind, (width, height), to) in enumerate(SIZES):
        pixels = random.integers(0, 256, (height, width, 3), dtype=np.uint8)
        jobs.append({**saved(pixels, tmp_path / f"{number}.bin"), "to": to, "how": kind})
        known.append(cv2.resize(pixels, to, interpolation=how[kind]))
    made = run({"task": "resize", "pictures": jobs}, tmp_path)
    for size, text, expected in zip(SIZES, made, known, strict=True):
        assert np.array_equal(np.frombuffer(base64.b64decode(text), np.uint8), expected.ravel()), size


def test_people_are_divided_as_in_python(tmp_path):
    random = np.random.default_rng(5)
    grids, known = [], []
    for rows, columns in [(1, 1), (3, 2), (5, 9), (16, 16)]:
        masses = random.random((rows, columns)) * 6 * (random.random((rows, columns)) < 0.7)
        capacities = random.integers(0, 7, (rows, columns))
        known.append(allot(masses, capacities).ravel().tolist())
        grids.append({"masses": masses.ravel().tolist(), "capacities": capacities.ravel().tolist(), "rows": rows, "columns": columns})  # fmt: skip
    assert run({"task": "allot", "grids": grids}, tmp_path) == known


def test_minima_are_found_as_in_python(tmp_path):
    random = np.random.default_rng(7)
    maps, known = [], []
    for window, steps in [(3, 0), (5, 0), (3, 8)]:  # the last has plateaus
        values = cv2.GaussianBlur(random.random((40, 55)).astype(np.float32) * 12, (0, 0), 1)
        values = np.round(values * steps) / steps if steps else values
        found = window_minima(values, window, 6.5)
        known.append(sorted(np.column_stack([found.xy, found.confidence]).round(9).tolist()))
        maps.append({"values": values.ravel().tolist(), "width": 55, "height": 40, "window": window, "ceiling": 6.5})  # fmt: skip
    made = run({"task": "minima", "maps": maps}, tmp_path)
    assert [sorted(np.round(each, 9).tolist()) for each in made] == known


def pictures() -> dict[str, np.ndarray]:
    """Photos that take each way through the engine: a region, an enlarged one, tiles, a turned and a flat one."""
    whole = Image.open(PHOTO).convert("RGB")
    dense = whole.crop((700, 330, 1500, 730))
    return {
        "region": np.asarray(dense.resize((700, 350), Image.Resampling.BICUBIC)),
        "enlarged": np.asarray(dense.resize((320, 160), Image.Resampling.BICUBIC)),
        "turned": np.ascontiguousarray(
            np.rot90(np.asarray(dense.resize((400, 200), Image.Resampling.BICUBIC)))
        ),
        "flat": np.full((240, 320, 3), (120, 130, 140), np.uint8),
        "tiles": np.asarray(dense),
    }


TILES = {"whole": 310_000, "side": 512, "margin": 64}
READ_SCALE = {"above": 310_000, "overview": 100_000, "window": 192}
"""Smaller than usual, so that small photos are cut and their read scale is chosen."""


def test_counts_equal_those_of_python(tmp_path):
    runtime = cached_runtime()
    if "nano" not in BUNDLED or runtime is None:
        pytest.skip(
            "needs the bundled model nano, and ONNX Runtime Web: crowdscale serve --export DIR fetches it"
        )
    photos, model = pictures(), shutil.copytree(BUNDLED["nano"], tmp_path / "nano")
    config = read_config(model)
    write_config(
        model, replace(config, zoom=replace(config.zoom, doubt=0.03, least=0.9), confidence=CURVE)
    )  # passes are blended
    job = {
        "task": "count", "runtime": str(runtime), "model": str(model),
        "sentences": {"measures": SENTENCES, "turned": TURNED, "unlike": UNLIKE}, "tiles": TILES, "readScale": READ_SCALE,
        "pictures": [saved(pixels, tmp_path / f"{name}.bin") for name, pixels in photos.items()],
    }  # fmt: skip
    made = run(job, tmp_path)
    options = PredictOptions(tiles=TileOptions(**TILES), read_scale_search=ReadScaleOptions(**READ_SCALE))
    predictor = load(model, threads=1, options=options)
    for (name, pixels), result in zip(photos.items(), made, strict=True):
        check_equal(name, result, predictor.predict(pixels).to_dict())
    ways = [(bool(each["regions"]), each["tiles"] > 1, bool(each["warnings"])) for each in made]
    assert ways[0][0]
    assert ways[3][2]
    assert ways[4][1]


def check_equal(name: str, result: dict[str, Any], known: dict[str, Any]) -> None:
    assert set(known) - set(result) <= {"photo"}, name
    assert abs(result["count"] - known["count"]) <= 1e-3 * max(1, known["count"]), name
    for key in set(known) - {"count", "seconds", "heads", "regions", "photo"}:
        expected = (
            pytest.approx(known[key], rel=1e-3, abs=1e-5) if isinstance(known[key], float) else known[key]
        )
        assert result[key] == expected, (name, key)
    assert [each["box"] for each in result["regions"]] == [each["box"] for each in known["regions"]], name
    assert len(result["heads"]) == len(known["heads"]), name
    near = cv2.BFMatcher().match(
        np.float32(result["heads"] or [[0] * 3]), np.float32(known["heads"] or [[0] * 3])
    )
    assert np.mean([match.distance < 0.05 for match in near]) > 0.99, name
