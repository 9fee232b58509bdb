"""Models that describe themselves: description, package, download, card."""
