"""Synthetic scenes: crowds in perspective with exact head points, for tests, examples and the first minute."""

from crowdscale.data.synthetic.camera import Camera
from crowdscale.data.synthetic.emptiness import EMPTINESS, draw_emptiness
from crowdscale.data.synthetic.options import KINDS, SceneOptions
from crowdscale.data.synthetic.placement import Person
from crowdscale.data.synthetic.scene import Scene, compose_scene, draw_scene
from crowdscale.data.synthetic.writing import write_scenes

__all__ = [
    "EMPTINESS",
    "KINDS",
    "Camera",
    "Person",
    "Scene",
    "SceneOptions",
    "compose_scene",
    "draw_emptiness",
    "draw_scene",
    "write_scenes",
]
