"""A film of heads for the tiny model, and the rows of watching it."""

from __future__ import annotations

import numpy as np

from crowdscale.counting.predictor import load
from crowdscale.points import Points
from crowdscale.video.sources import Frame, Source
from crowdscale.video.watch import WatchOptions, watch
from crowdscale.zones.alarms import AlarmRule
from crowdscale.zones.zone import Zone
from tests.support.fakes import label_photo

LEFT = Zone("left", ((0, 0), (120, 0), (120, 200), (0, 200)), alarm=AlarmRule(3))


def heads(number, right=0):
    xy = [[30 + 20 * (i % 4), 40 + 20 * (i // 4)] for i in range(number)]
    return Points(xy + [[150 + 20 * i, 60] for i in range(right)])


def film(counts, step=0.5):
    def frames(source):
        for index, count in enumerate(counts):
            yield Frame(index, index * step, label_photo(heads(*np.atleast_1d(count)), 240, 200))

    return Source("film", frames)


def rows(label_model, counts, zones=None, alarms=None, **options):
    seen = watch(film(counts), load(label_model), WatchOptions(**options), zones, alarms)
    return [each.row for each in seen]
