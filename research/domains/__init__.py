"""Judging a model by scenes from elsewhere: scores by domain, and training on all domains but one."""
