"""Inputs that people meet in public threads, with the right answer: ``python -m tests.cases`` prints all."""
