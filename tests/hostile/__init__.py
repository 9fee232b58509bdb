"""Hostile files: damaged seeds of each format give a clear sentence or a right answer.

``CROWDSCALE_FUZZ=10000`` sets the number of inputs of a format; the default is quick.
"""
