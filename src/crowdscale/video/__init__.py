"""People over time: frames, writer, watch, smoothing, history."""
