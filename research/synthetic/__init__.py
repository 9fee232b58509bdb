"""Synthetic scenes: crowds in perspective with exact head points, for tests, examples and the first minute."""

from research.synthetic.camera import Camera
from research.synthetic.emptiness import EMPTINESS, draw_emptiness
from research.synthetic.options import KINDS, SceneOptions
from research.synthetic.placement import Person
from research.synthetic.scene import Scene, compose_scene, draw_scene
from research.synthetic.writing import draw_nobody, write_scenes

__all__ = [
    "EMPTINESS",
    "KINDS",
    "Camera",
    "Person",
    "Scene",
    "SceneOptions",
    "compose_scene",
    "draw_emptiness",
    "draw_nobody",
    "draw_scene",
    "write_scenes",
]
