"""How far a count can be trusted: intervals, the profile of the training photos, orientation."""
