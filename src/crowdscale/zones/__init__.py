"""Zones of a picture: polygons, lines, ground, crossings and alarms."""
