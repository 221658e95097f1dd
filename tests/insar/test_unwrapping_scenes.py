"""Land, water and layover whose true phase is known: nothing clearly coherent is off by cycles."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.unwrap import judge
from benchmarks.unwrap_scene import KINDS, simulate_scene
from kernels.insar.unwrapping import reliable, unwrap

SHAPE = (260, 260)
RISE = 24.0  # [rad]; as steep as ten fringes in a scene of 650 rows


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", ["land", "poor", "few_looks"])
def test_no_cycle_is_wrong_where_coherence_is_above_06(name: str, seed: int) -> None:
    kind = KINDS[name]._replace(rise=RISE)
    scene = simulate_scene(SHAPE, kind=kind, seed=seed)
    valid = reliable(scene.phase, scene.estimate, looks=kind.looks)
    unwrapped = unwrap(
        scene.phase,
        scene.estimate,
        looks=kind.looks,
        valid=valid,
        memory_mb=10,  # four tiles
    )
    found = judge(unwrapped, scene)
    assert found.wrong_cells == 0
    assert found.judged_cells > 0.5 * np.count_nonzero(valid & (scene.coherence > 0.6))
