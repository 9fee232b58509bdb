"""Pictures without people: each kind drawn, repeatable, varied."""

import numpy as np
import pytest

from crowdscale.errors import OptionError
from research.synthetic import EMPTINESS, draw_emptiness


@pytest.mark.parametrize("kind", EMPTINESS)
@pytest.mark.parametrize(("width", "height"), [(96, 64), (8, 8), (33, 130)], ids=["wide", "smallest", "tall"])
def test_a_kind_is_drawn_at_any_size_and_equal_lots_draw_it_equally(kind, width, height):
    one, same, other = (draw_emptiness(width, height, np.random.default_rng(s), kind) for s in (1, 1, 2))
    assert one.shape == (height, width, 3)
    assert one.dtype == np.uint8
    assert (one == same).all()
    assert not (one == other).all()


@pytest.mark.parametrize("kind", sorted(set(EMPTINESS) - {"plain"}))
def test_a_pattern_has_contrast(kind):
    spread = [draw_emptiness(128, 128, np.random.default_rng(s), kind).std() for s in range(5)]
    assert max(spread) > 15


def test_kinds_fall_by_lot():
    pictures = {draw_emptiness(16, 16, np.random.default_rng(seed)).tobytes() for seed in range(20)}
    assert len(pictures) == 20


@pytest.mark.parametrize(("size", "kind", "said"), [((4, 50), None, "8×8"), ((50, 50), "people", "cloudy")])
def test_what_cannot_be_drawn_is_said(size, kind, said):
    with pytest.raises(OptionError, match=said):
        draw_emptiness(*size, np.random.default_rng(0), kind)
