"""Many photos: in order, lazily, with errors among them; predictors in other processes."""

from __future__ import annotations

import itertools
import pickle
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest
from PIL import Image

from crowdscale import Prediction, load
from crowdscale.counting.many import AHEAD, in_order
from crowdscale.counting.predictor import PredictOptions, Predictor
from crowdscale.errors import ImageError, OptionError
from crowdscale.points import Points
from tests.support.fakes import TruthBackend, label_photo, truth_config


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Paths of three photos with 1, 2 and 3 people, a broken one between them."""
    folder = tmp_path_factory.mktemp("photos")
    paths = []
    for people in (1, 2, 3):
        heads = Points([[30 + 40 * i, 60] for i in range(people)])
        Image.fromarray(label_photo(heads, 192, 128)).save(folder / f"{people}.png")
        paths.append(folder / f"{people}.png")
    (folder / "broken.jpg").write_text("no photo")
    return [paths[0], folder / "broken.jpg", *paths[1:]]


@pytest.mark.parametrize("workers", [1, 3])
def test_results_in_order_with_errors_among_them(photos, label_model, workers):
    predictor = load(label_model, threads=1)
    results = list(predictor.predict_many(photos, workers=workers))
    assert [round(r.count) if isinstance(r, Prediction) else type(r) for r in results] == [
        1,
        ImageError,
        2,
        3,
    ]
    assert "broken.jpg" in str(results[1])
    assert results[0].source == photos[0]
    assert results[2].points.xy.tolist() == predictor.predict(photos[2]).points.xy.tolist()


def test_sources_are_taken_as_results_are():
    taken = []
    results = in_order(lambda n: n * n, (taken.append(n) or n for n in itertools.count()), 2)
    assert [next(results) for _ in range(10)] == [n * n for n in range(10)]
    assert len(taken) <= 10 + 2 * AHEAD
    results.close()


def test_order_stays_when_the_first_is_the_slowest():
    gate = threading.Event()

    def work(number):
        if number == 0:
            assert gate.wait(60)
        else:
            gate.set()
        return number

    assert list(in_order(work, range(5), 2)) == [0, 1, 2, 3, 4]


def test_threads_end_with_the_loop():
    results = in_order(lambda n: time.sleep(0.01) or n, itertools.count(), 2)
    next(results)
    results.close()
    assert not [each for each in threading.enumerate() if each.name.startswith("crowdscale")]


def test_error_of_the_caller_comes_after_what_was_counted():
    def sources():
        yield 1
        yield 2
        raise KeyError("mine")

    results = in_order(lambda n: n, sources(), 2)
    assert [next(results), next(results)] == [1, 2]
    with pytest.raises(KeyError, match="mine"):
        next(results)


def test_defects_are_raised():
    with pytest.raises(ZeroDivisionError):
        list(in_order(lambda n: 1 / n, [1, 0], 1))


def test_workers_below_zero(label_model):
    with pytest.raises(OptionError, match="workers"):
        load(label_model, threads=1).predict_many([], workers=-1)


def test_pickled_predictor_counts_the_same(photos, label_model):
    predictor = load(label_model, threads=1, options=PredictOptions(zoom=1.5, keep_map=False))
    again = pickle.loads(pickle.dumps(predictor))
    assert again.options == predictor.options
    assert again.predict(photos[3]).points.xy.tolist() == predictor.predict(photos[3]).points.xy.tolist()


def test_predictor_in_another_process(photos, label_model):
    predictor = load(label_model, threads=1)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        counts = [result.count for result in pool.map(predictor.predict, [photos[0], photos[3]])]
    assert counts == [predictor.predict(path).count for path in (photos[0], photos[3])]


def test_predictor_around_an_own_backend_is_not_pickled():
    with pytest.raises(pickle.PicklingError, match="load"):
        pickle.dumps(Predictor(TruthBackend(Points()), truth_config()))
