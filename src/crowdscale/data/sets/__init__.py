"""Public data sets: one file a set."""
