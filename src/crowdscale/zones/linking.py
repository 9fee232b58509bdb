"""Linking: heads of successive frames → identities, by assignment to predicted positions.

The gate follows the local spacing, so that people in a crowd keep their identity and a lone runner is not lost.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from itertools import chain

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import min_weight_full_bipartite_matching
from scipy.spatial import cKDTree

from crowdscale.errors import OptionError

__all__ = ["LinkOptions", "Linker"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

TINY = 1e-6
"""Least cost of a link: a sparse matrix keeps no zeros."""
SURE = 8.0
"""Standard deviations of the radius around a predicted position."""
PIXEL = 0.5
"""Standard deviation in pixels of a position in the sharpest photo, and the least spacing."""
ALONE = 0.1
"""Largest spacing of a head, over the picture's diagonal. A lone head has this one."""
SMOOTHING = 0.2
"""Share of a track's spacing that each link renews."""
FREE = 2.0
"""Factor on the spread of a new track's velocity, if no settled track is near."""
FLOW_NEIGHBOURS = 5
"""Tracks around a new head whose median velocity it starts with."""
FLOW_REACH = 0.1
"""Distance to the farthest of them, over the picture's diagonal."""
SETTLED = 3
"""Links after which a track's velocity is trusted."""


@dataclass(frozen=True)
class LinkOptions:
    """How heads of two frames become one track."""

    reach: float = 1.2
    """Radius of the gate around a predicted position, over the distance to the nearest other head."""
    smallest: float = 0.004
    """Least radius of the gate, over the picture's diagonal."""
    largest: float = 0.1
    """Largest radius of the gate, over the picture's diagonal."""
    patience: float = 0.8
    """Seconds for which a track without a head is kept."""
    noise: float = 0.06
    """Standard deviation of a head's position, over the distance to the nearest other head."""
    agility: float = 4.0
    """Standard deviation of the acceleration, in distances to the nearest other head a second²."""
    speed: float = 1.5
    """Standard deviation of a new track's velocity around its neighbours', in such distances a second."""

    def __post_init__(self) -> None:
        if not 0 < self.smallest <= self.largest <= 1 or self.reach <= 0 or self.patience < 0:
            raise OptionError(
                "expected 0 < smallest <= largest <= 1, reach > 0 and patience >= 0",
                f"{self.smallest}, {self.largest}, {self.reach}, {self.patience}",
            )
        if min(self.noise, self.agility, self.speed) <= 0:
            raise OptionError(
                "expected noise, agility and speed above 0", f"{self.noise}, {self.agility}, {self.speed}"
            )


@dataclass
class _Tracks:
    """The state of all tracks: a row each."""

    ids: Integers
    xy: Floats
    velocity: Floats
    """Pixels a second."""
    covariance: Floats
    """(n, 3): variance of position, covariance with velocity, variance of velocity, alike in x and y."""
    scale: Floats
    """Distance in pixels to the nearest other head, smoothed."""
    last: Floats
    """Time of the last link."""
    links: Integers

    @classmethod
    def none(cls) -> _Tracks:
        flat, whole = np.zeros(0), np.zeros(0, np.int64)
        return cls(whole, np.zeros((0, 2)), np.zeros((0, 2)), np.zeros((0, 3)), flat, flat, whole)

    def select(self, chosen: NDArray[np.bool_]) -> _Tracks:
        return _Tracks(*(getattr(self, each.name)[chosen] for each in fields(self)))

    def join(self, other: _Tracks) -> _Tracks:
        return _Tracks(
            *(np.concatenate([getattr(self, each.name), getattr(other, each.name)]) for each in fields(self))
        )


@dataclass
class Linker:
    """Identities of heads, frame by frame.

    A Kalman filter with constant velocity predicts each track. Heads and predictions are assigned to one another with
    the least sum of squared distances over squared gates. A pair beyond the gate stays apart. A new track starts with
    the median velocity of the tracks around it.
    """

    options: LinkOptions = field(default_factory=LinkOptions)
    born: int = 0
    """Tracks begun so far; the next one gets this number."""

    def __post_init__(self) -> None:
        self._tracks = _Tracks.none()
        self._time: float | None = None

    def update(self, xy: Floats, time: float, diagonal: float) -> Integers:
        """Return the (n,) identities of the heads of a frame.

        Args:
            xy: (n, 2) positions in pixels.
            time: Seconds. A time that is not after the last one starts all tracks anew.
            diagonal: Of the picture, in pixels.
        """
        if self._time is None or time <= self._time:
            self._tracks = _Tracks.none()
            self._time = time
        self._predict(time - self._time)
        self._time = time
        spacing = _spacing(xy, diagonal)
        tracks, heads = _assign(self._tracks.xy, xy, self._gates(spacing, diagonal), self._radii())
        ids = np.full(len(xy), -1, np.int64)
        ids[heads] = self._tracks.ids[tracks]
        self._correct(tracks, xy[heads], spacing[heads], time)
        self._tracks = self._tracks.select(time - self._tracks.last <= self.options.patience)
        new = np.flatnonzero(ids < 0)
        ids[new] = self._begin(xy[new], spacing[new], time, diagonal)
        return ids

    def velocities(self, ids: Integers) -> Floats:
        """Return the (n, 2) velocities in pixels a second of present tracks; NaN for one with few links."""
        order = np.argsort(self._tracks.ids)
        rows = order[np.searchsorted(self._tracks.ids, ids, sorter=order)]
        settled = self._tracks.links[rows] >= SETTLED
        return np.where(settled[:, None], self._tracks.velocity[rows], np.nan)

    def _predict(self, step: float) -> None:
        state = self._tracks
        state.xy = state.xy + state.velocity * step
        place, cross, speed = state.covariance.T
        jerk = (self.options.agility * state.scale) ** 2
        state.covariance = np.column_stack(
            [
                place + 2 * step * cross + step**2 * speed + jerk * step**4 / 4,
                cross + step * speed + jerk * step**3 / 2,
                speed + jerk * step**2,
            ]
        )

    def _gates(self, spacing: Floats, diagonal: float) -> Floats:
        least, most = self.options.smallest * diagonal, self.options.largest * diagonal
        return np.clip(self.options.reach * spacing, least, most)

    def _radii(self) -> Floats:
        """Return the radius in pixels around each predicted position that holds nearly all of its heads."""
        state = self._tracks
        return SURE * np.sqrt(state.covariance[:, 0] + self._variance(state.scale))

    def _correct(self, tracks: Integers, xy: Floats, spacing: Floats, time: float) -> None:
        state = self._tracks
        residual = xy - state.xy[tracks]
        place, cross, speed = state.covariance[tracks].T
        total = place + self._variance(spacing)
        gain_place, gain_speed = place / total, cross / total
        state.xy[tracks] += gain_place[:, None] * residual
        state.velocity[tracks] += gain_speed[:, None] * residual
        state.covariance[tracks] = np.column_stack(
            [(1 - gain_place) * place, (1 - gain_place) * cross, speed - gain_speed * cross]
        )
        state.scale[tracks] += SMOOTHING * (spacing - state.scale[tracks])
        state.links[tracks] += 1
        state.last[tracks] = time

    def _variance(self, spacing: Floats) -> Floats:
        """Return the variance in pixels² of measured positions."""
        return (self.options.noise * spacing) ** 2 + PIXEL**2

    def _begin(self, xy: Floats, spacing: Floats, time: float, diagonal: float) -> Integers:
        ids = np.arange(self.born, self.born + len(xy))
        self.born += len(xy)
        velocity, close = self._flow(xy, FLOW_REACH * diagonal)
        speed = (np.where(close, 1.0, FREE) * self.options.speed * spacing) ** 2
        covariance = np.column_stack([self._variance(spacing), np.zeros(len(xy)), speed])
        times, links = np.full(len(xy), time), np.ones(len(xy), np.int64)
        self._tracks = self._tracks.join(_Tracks(ids, xy, velocity, covariance, spacing, times, links))
        return ids

    def _flow(self, xy: Floats, reach: float) -> tuple[Floats, NDArray[np.bool_]]:
        """Return the (n, 2) median velocity of settled tracks around each position, and whether there are any."""
        settled = self._tracks.links >= SETTLED
        velocity = np.zeros((len(xy), 2))
        if settled.sum() < FLOW_NEIGHBOURS or not len(xy):
            return velocity, np.zeros(len(xy), bool)
        distances, partners = map(np.asarray, cKDTree(self._tracks.xy[settled]).query(xy, FLOW_NEIGHBOURS))
        close = distances[:, -1] <= reach
        velocity[close] = np.median(self._tracks.velocity[settled][partners[close]], axis=1)
        return velocity, np.asarray(close, bool)


def _spacing(xy: Floats, diagonal: float) -> Floats:
    """Return each head's distance to the nearest other one, at most a tenth of the diagonal."""
    if len(xy) < 2:
        return np.full(len(xy), ALONE * diagonal)
    near = np.asarray(cKDTree(xy).query(xy, 2)[0])[:, 1]
    return np.asarray(np.clip(near, PIXEL, ALONE * diagonal), float)


def _assign(predicted: Floats, xy: Floats, gates: Floats, radii: Floats) -> tuple[Integers, Integers]:
    """Return the paired indices of predictions and heads with the least Σ (distance / gate)²."""
    none = np.zeros(0, np.int64)
    if not len(predicted) or not len(xy):
        return none, none
    near = cKDTree(predicted).query_ball_point(xy, gates)
    heads: Integers = np.repeat(np.arange(len(xy)), [len(each) for each in near])
    tracks: Integers = np.fromiter(chain.from_iterable(near), np.int64, len(heads))
    distances = np.hypot(*(predicted[tracks] - xy[heads]).T)
    shares = distances / np.minimum(gates[heads], radii[tracks])
    tracks, heads = tracks[shares <= 1], heads[shares <= 1]
    costs = np.maximum(shares[shares <= 1] ** 2, TINY)
    alone = (np.bincount(tracks, minlength=len(predicted))[tracks] == 1) & (
        np.bincount(heads, minlength=len(xy))[heads] == 1
    )
    left, right = _solve(tracks[~alone], heads[~alone], costs[~alone])
    return np.concatenate([tracks[alone], left]), np.concatenate([heads[alone], right])


def _solve(tracks: Integers, heads: Integers, costs: Floats) -> tuple[Integers, Integers]:
    """Return the pairs of least total cost, where leaving both ends of a pair alone costs 2.

    The square matrix has a place of its own for each track and head that stays alone (sparse Jonker-Volgenant).
    """
    if not len(tracks):
        return tracks, heads
    rows_of, row = np.unique(tracks, return_inverse=True)
    columns_of, column = np.unique(heads, return_inverse=True)
    n, m = len(rows_of), len(columns_of)
    alone_t, alone_h = np.arange(n), np.arange(m)
    rows = np.concatenate([row, alone_t, n + alone_h, n + column])
    columns = np.concatenate([column, m + alone_t, alone_h, m + row])
    values = np.concatenate([costs, np.ones(n + m), np.full(len(costs), TINY)])
    square = csr_array(coo_array((values, (rows, columns)), shape=(n + m, n + m)))
    left, right = min_weight_full_bipartite_matching(square)
    paired = (left < n) & (right < m)
    return rows_of[left[paired]], columns_of[right[paired]]
