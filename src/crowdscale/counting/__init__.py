"""Photo → people: both passes, their merge and the result."""
