"""Photos and other files: found, read, written whole."""
