"""Scenes whose truth is known, written as real Sentinel-1 products.

Demonstration, tests and benchmarks run the processing chains on them. The truth owes nothing to
the geometry and interferometry that it is used to judge: the simulation has its own.
"""

from kernels.simulation.acquisition import Acquisition, Track
from kernels.simulation.annotated import AnnotatedDate, simulate_on_annotation
from kernels.simulation.demo import Demo, demo_scene, save_dem, simulate_demo
from kernels.simulation.derive import Derivation
from kernels.simulation.modes import StripMapMode, TopsMode
from kernels.simulation.scene import MogiSource, PointTarget, RangeRamp, Scene
from kernels.simulation.series import SimulatedSeries, simulate
from kernels.simulation.terrain import plane, volcano_island
from kernels.simulation.truth import BurstTruth, load_scene, load_truth

__all__ = [
    "Acquisition",
    "AnnotatedDate",
    "BurstTruth",
    "Demo",
    "Derivation",
    "MogiSource",
    "PointTarget",
    "RangeRamp",
    "Scene",
    "SimulatedSeries",
    "StripMapMode",
    "TopsMode",
    "Track",
    "demo_scene",
    "load_scene",
    "load_truth",
    "plane",
    "save_dem",
    "simulate",
    "simulate_demo",
    "simulate_on_annotation",
    "volcano_island",
]
