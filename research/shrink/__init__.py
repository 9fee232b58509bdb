"""Smaller and faster models from trained ones: narrow, distill, average, compact."""
