"""Fixtures of smaller models."""

from tests.support.exports import few_sizes

__all__ = ["few_sizes"]
