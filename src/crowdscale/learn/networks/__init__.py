"""Counting networks: backbones and the pyramid on top of them."""
