"""Heat: people per area on one scale, where people are and nowhere else, the same in Python and on the page."""

from __future__ import annotations

import json
import runpy
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from crowdscale.drawing.heat import COLOURS, GROUND, PHOTO, draw_heat, draw_legend, heat_density
from crowdscale.drawing.text import text_size
from crowdscale.errors import ImageError
from crowdscale.points import Points
from crowdscale.zones.ground import Ground
from tests.support.drawn import HEADS, grey

NODE = shutil.which("node")
ROOT = Path(__file__).parents[2]


def test_heat_is_where_people_are_and_nowhere_else():
    crowd = Points([[50 + x, 60 + y] for x in range(0, 40, 6) for y in range(0, 40, 6)])
    drawn = draw_heat(grey(300, 400), crowd).astype(int)
    assert abs(drawn[80, 70] - 127).sum() > 150
    assert (drawn[150:, 200:] == 127).all()


def test_heat_of_points_and_of_their_density_agree():
    crowd = Points([[100 + x, 60 + y] for x in range(0, 80, 8) for y in range(0, 60, 8)])
    density = np.zeros((300, 400), np.float32)
    for x, y in crowd.xy.astype(int):
        density[y, x] = 1
    first, second = draw_heat(grey(300, 400), crowd), draw_heat(grey(300, 400), density)
    assert abs(first.astype(int) - second).mean() < 12


def test_heat_keeps_the_number_of_people():
    assert heat_density(HEADS, 120, 80).sum() == pytest.approx(3, rel=1e-3)
    assert heat_density(HEADS.scale(20), 2400, 1600).sum() == pytest.approx(3, rel=1e-3)
    assert heat_density(np.full((500, 900), 0.01, np.float32), 3600, 2000).sum() == pytest.approx(
        4500, rel=1e-3
    )


@pytest.mark.parametrize("gap", [0.5, 5, 26])
def test_two_dots_on_one_head_are_not_the_hottest_place(gap):
    """A group of five is hotter."""
    spread = [[x, y] for x in range(120, 1900, 300) for y in range(120, 1250, 250)]
    pair, group = (
        [[120 + gap, 120]],
        [[1320 + x, 620 + y] for x, y in ((30, 0), (0, 30), (40, 40), (-30, 20))],
    )
    heat = heat_density(Points([*spread, *pair, *group]), 1920, 1282)
    hottest = np.argwhere(heat == heat.max())[0] * 3
    assert abs(hottest - (630, 1330)).max() < 40


def test_same_people_have_the_same_heat_in_a_photo_of_any_resolution():
    crowd = Points([[100 + 9 * i, 80 + 7 * j] for i in range(12) for j in range(9)])
    small, large = draw_heat(grey(300, 400), crowd), draw_heat(grey(1200, 1600), crowd.scale(4))
    assert abs(small.astype(int) - large[2::4, 2::4]).mean() < 1.5


def test_few_people_do_not_glow_like_a_crowd():
    """The scale is fixed: one head is blue, whoever else is in the photo."""
    few = draw_heat(grey(600, 900), Points([[450, 300], [700, 200]])).astype(int)[300, 450]
    grid = [[350 + 6 * i, 220 + 6 * j] for i in range(34) for j in range(27)]
    crush = draw_heat(grey(600, 900), Points(grid)).astype(int)[300, 450]
    assert few[2] > few[0] + 20
    assert crush[0] > crush[2] + 60


def test_scale_has_the_colours_of_its_ticks():
    assert PHOTO.shares(np.array([0.1, 1, 300, 1e6])) == pytest.approx([0, 0, 1, 1])
    assert PHOTO.opacity(np.array([0, 0.2])) == pytest.approx([0, 0])
    legend = draw_legend(grey(600, 900))[600:].reshape(-1, 3).tolist()
    assert list(COLOURS[0]) in legend
    assert list(COLOURS[-1]) in legend


def test_heat_on_the_ground_is_people_per_square_metre():
    """A photo straight from above, 10 px a metre: 400 people in 10×10 m are 4 per m²."""
    corners = ((0.0, 0.0), (600.0, 0.0), (600.0, 400.0), (0.0, 400.0))
    ground = Ground(corners, tuple((x / 10, y / 10) for x, y in corners))
    areas = ground.pixel_areas(600, 400)
    assert areas.sum() == pytest.approx(60 * 40)
    people = Points([[200 + 5 * i, 150 + 5 * j] for i in range(20) for j in range(20)])
    drawn = draw_heat(grey(400, 600), people, areas)[200, 250].astype(float)
    share = float(GROUND.shares(np.array([4.0]))[0]) * (len(COLOURS) - 1)
    low, high = (np.array(COLOURS[i], float) for i in (int(share), int(share) + 1))
    colour = low + (high - low) * (share - int(share))
    cover = float(GROUND.opacity(np.array([4.0]))[0])
    assert drawn == pytest.approx(127 + (colour - 127) * cover, abs=12)


def test_no_heat_beyond_the_horizon():
    ground = Ground(((100, 300), (500, 300), (350, 120), (250, 120)), ((0, 0), (10, 0), (10, 30), (0, 30)))
    areas = ground.pixel_areas(600, 400)
    assert np.isnan(areas[0]).all()
    assert areas[-1, 37] < areas[20, 37]
    drawn = draw_heat(grey(400, 600), Points([[300, 10]] * 9), areas)
    assert (drawn[:16] == 127).all()


def test_page_has_the_same_table():
    written = (ROOT / "web" / "heat_table.js").read_text(encoding="utf-8")
    assert written == runpy.run_path(str(ROOT / "docs" / "heat_table.py"))["heat_table"](), (
        "Run: python docs/heat_table.py"
    )


@pytest.mark.skipif(NODE is None, reason="Node is not installed")
def test_page_draws_the_same_heat(tmp_path):
    random = np.random.default_rng(1)
    heads = random.uniform((5, 5), (175, 115), (60, 2)).round(3)
    script = tmp_path / "heat.mjs"
    script.write_text(
        f"""import {{ heatColour, heatGrid }} from {json.dumps((ROOT / "web" / "heat.js").as_uri())};
        const grid = heatGrid({{ width: 180, height: 120 }}, {json.dumps(heads.tolist())}, null, 640);
        const colours = [1, 30, 1000].map(heatColour);
        console.log(JSON.stringify({{ people: [...grid.people], colours }}));"""
    )
    done = subprocess.run([str(NODE), str(script)], capture_output=True, text=True, timeout=60, check=True)
    page = json.loads(done.stdout)
    known = heat_density(Points(heads), 180, 120)
    drawn = np.array(page["people"]).reshape(120, 180)
    assert drawn.sum() == pytest.approx(60, rel=1e-3)
    assert abs(drawn - known).sum() < 0.01 * 60
    assert page["colours"][0] == [*COLOURS[0], round(255 * float(PHOTO.opacity(np.array([1.0]))[0]))]
    assert page["colours"][2][:3] == list(COLOURS[-1])


def test_dots_on_one_head_heat_as_widely_as_the_others():
    """Seven dots, 7 · 1.25² times as hot as one; without a bound on their width they would be 28 times."""
    lone = [[100 + 290 * i, 100 + 350 * j] for i in range(6) for j in range(4)]
    heat = heat_density(Points([*lone, *([102 + i, 450] for i in range(6))]), 1920, 1282)
    assert heat[150, 34] < 12 * heat[33, 33]


def test_heat_refuses_what_is_no_map():
    with pytest.raises(ImageError, match="density map"):
        draw_heat(grey(), np.zeros((3, 4, 5)))


@pytest.mark.parametrize(("width", "lines"), [(900, 1), (360, 2)])
def test_the_unit_has_a_line_of_its_own_where_it_is_narrow(width, lines):
    """Beside a short scale it was shrunk until nobody could read it."""
    size = text_size(grey(600, width))
    added = draw_legend(grey(600, width)).shape[0] - 600
    assert added == round(3.2 * size) + (lines - 1) * round(1.9 * size)
