"""Training crops and negatives."""
