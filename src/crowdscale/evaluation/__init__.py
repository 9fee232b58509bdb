"""A predictor over a data set: scores, dense regions, diagnosis, tuning."""
