"""The learn half: networks, losses, learning to scale, training and export. Needs the extra [learn]."""
