"""The heat of a film has a legend and a caption, as the heat of a photo has."""

from __future__ import annotations

import numpy as np

from crowdscale.drawing import film_heat
from crowdscale.drawing.film_heat import FilmHeat
from crowdscale.points import Points
from crowdscale.video.history import History
from tests.support.drawn import grey


def test_the_caption_stands_under_the_legend(monkeypatch):
    said, draw = [], film_heat.draw_caption
    monkeypatch.setattr(film_heat, "draw_caption", lambda i, text: said.append(text) or draw(i, text))
    heat = FilmHeat()
    heat.add(grey(), Points([[20, 15], [60, 40]]))
    plain, captioned = heat.draw(), heat.draw("2.0 people on average")
    assert said == ["2.0 people on average"]
    np.testing.assert_array_equal(captioned[: len(plain)], plain)
    assert len(captioned) > len(plain)


def test_an_empty_film_has_its_caption_too(monkeypatch):
    said, draw = [], film_heat.draw_caption
    monkeypatch.setattr(film_heat, "draw_caption", lambda i, text: said.append(text) or draw(i, text))
    heat = FilmHeat()
    heat.add(grey(), Points())
    heat.draw()
    heat.draw("0.0 people on average")
    assert said == ["Nobody was located in these frames.", "0.0 people on average"]


def test_the_words_of_a_run():
    from crowdscale.cli.watch_tally import Tally

    tally = Tally("film", True)
    assert isinstance(tally.history, History)
    for time in range(3):
        tally.history.add(float(time), 0.1, {"people": 4.0 + time})
    assert tally.words() == "5.0 people on average · 3 frames over 2.0 s"
