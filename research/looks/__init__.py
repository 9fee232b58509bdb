"""Averaging over looks: mirrored and resized views of each photo, to measure what their mean gains."""
