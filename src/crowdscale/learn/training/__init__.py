"""Training: options, preparation, loop, validation, journal."""
