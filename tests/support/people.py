"""Comparison of located people."""

from __future__ import annotations

from scipy.spatial import cKDTree


def assert_same_people(found, expected, tolerance):
    assert len(found) == len(expected)
    if len(expected):
        distances, partners = cKDTree(expected.xy).query(found.xy)
        assert len(set(partners.tolist())) == len(expected)
        assert distances.max() <= tolerance
