"""What the JSON file of a simulated series tells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from kernels.model import SlcProduct
from kernels.simulation.dates import Date
from kernels.simulation.image import BurstImage
from kernels.simulation.scene import Scene


def scene_parameters(scene: Scene) -> dict[str, Any]:
    """Parameters of a scene for a JSON file; heights of the terrain are left out."""
    facts = {key: value for key, value in asdict(scene).items() if key != "dem"}
    facts["dem"] = {
        "west": scene.dem.west,
        "north": scene.dem.north,
        "longitude_step": scene.dem.longitude_step,
        "latitude_step": scene.dem.latitude_step,
        "shape": list(scene.dem.heights.shape),
        "sources": list(scene.dem.sources),
    }
    return facts


def scene_facts(scene: Scene, dates: Sequence[Date]) -> dict[str, Any]:
    """Parameters of a series for its JSON file."""
    return {
        "scene": scene_parameters(scene),
        "products": [date.images[0].name for date in dates],
        "misregistrations": [date.misregistration for date in dates],
    }


def target_facts(plans: Sequence[BurstImage], image: SlcProduct) -> list[dict[str, Any]]:
    """Tell where each burst of an image sees each point target that lies inside it.

    Parameters
    ----------
    plans : sequence of BurstImage
        Of all bursts of the image.
    image : SlcProduct
        The image.

    Returns
    -------
    list of dict
        One entry per sight of a target; lines count without the misregistration, samples with
        the change of the range.
    """
    facts = []
    for plan in plans:
        lines, samples = plan.burst.grid.shape
        for number, target in enumerate(plan.targets):
            if not (0.0 <= target.line <= lines - 1 and 0.0 <= target.sample <= samples - 1):
                continue
            facts.append(
                {
                    "target": number,
                    "product": image.name,
                    "swath": image.swath,
                    "burst": plan.burst.index,
                    "line": target.line,
                    "sample": target.sample,
                    "epoch": image.grid.epoch.isoformat(),
                    "zero_doppler_time": target.time,
                    "slant_range": target.slant_range,
                    "range_change": target.change,
                    "height": target.height,
                }
            )
    return facts
