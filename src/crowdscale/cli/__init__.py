"""The command line: one small file a command; heavy imports stand inside the functions."""
