"""Scenes whose truth is known, written as real products.

Demonstration, tests and benchmarks run the processing chains on them. The truth owes nothing to
the geometry and interferometry that it is used to judge: the simulation has its own.
"""

from kernels.products.dem_writing import save_dem
from kernels.simulation.acquisition import Acquisition, Track
from kernels.simulation.annotated import AnnotatedDate, simulate_on_annotation
from kernels.simulation.demo import Demo, demo_scene, simulate_demo
from kernels.simulation.derive import Derivation
from kernels.simulation.derived_images import simulate_on_image
from kernels.simulation.detected import (
    SimulatedDetected,
    simulate_detected,
    simulate_detected_on_annotation,
)
from kernels.simulation.detected_acquisition import DetectedMode
from kernels.simulation.detected_image import Background
from kernels.simulation.detected_truth import DetectedTruth, load_detected_truth
from kernels.simulation.detected_view import TargetGrid
from kernels.simulation.modes import StripMapMode, TopsMode
from kernels.simulation.publishing import SimulatedSeries
from kernels.simulation.scene import MogiSource, PointTarget, RangeRamp, Scene
from kernels.simulation.series import simulate
from kernels.simulation.terrain import plane, volcano_island
from kernels.simulation.truth import BurstTruth, load_scene, load_truth

__all__ = [
    "Acquisition",
    "AnnotatedDate",
    "Background",
    "BurstTruth",
    "Demo",
    "Derivation",
    "DetectedMode",
    "DetectedTruth",
    "MogiSource",
    "PointTarget",
    "RangeRamp",
    "Scene",
    "SimulatedDetected",
    "SimulatedSeries",
    "StripMapMode",
    "TargetGrid",
    "TopsMode",
    "Track",
    "demo_scene",
    "load_detected_truth",
    "load_scene",
    "load_truth",
    "plane",
    "save_dem",
    "simulate",
    "simulate_demo",
    "simulate_detected",
    "simulate_detected_on_annotation",
    "simulate_on_annotation",
    "simulate_on_image",
    "volcano_island",
]
