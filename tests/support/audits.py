"""A drawn crowd, and audits of it by any model's map."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from crowdscale.trust.audit import AuditOptions, AuditPlan, PeopleMap, plan_audit

SIZE = (640, 480)
Map = np.ndarray


def crowd(seed: int = 0, people: int = 600, size: tuple[int, int] = (640, 480)) -> np.ndarray:
    """Return heads of which most stand in a cluster."""
    rng = np.random.default_rng(seed)
    near = rng.normal((0.7 * size[0], 0.4 * size[1]), (0.2 * size[0], 0.1 * size[1]), (people * 2 // 3, 2))
    far = rng.uniform((0, size[1] / 3), size, (people - len(near), 2))
    return np.clip(np.concatenate([near, far]), 0, np.array(size) - 1)


def audited(model: Callable[[Map], Map], xy: np.ndarray, **options: float) -> tuple[AuditPlan, list[int]]:
    """Return the plan by a model's map, and the true people of each cell."""
    true = PeopleMap.from_points("photo.jpg", SIZE, xy)
    plan = plan_audit([replace(true, people=model(true.people))], "0", AuditOptions(**options))
    return plan, [int(cell.box.contains(xy).sum()) for cell in plan.cells]
