"""Types shared by every part of the kernels.

Conventions: order is (azimuth, range) = (row, column); SI units and radians; times are
float64 seconds from a stated epoch; pixel coordinates count from 0 at the *centre* of the
first pixel; coordinates on the ground are WGS84, ECEF in metres or longitude and latitude in
radians unless a name says degrees.
"""

from kernels.model.basics import (
    SPEED_OF_LIGHT,
    FloatOrArray,
    Looks,
    LookSide,
    OrbitSource,
    Shape,
    StateVectors,
)
from kernels.model.grids import (
    Burst,
    GeographicBox,
    GroundRangeGrid,
    GroundRangeRecord,
    ImageLines,
    MapGrid,
    RadarGrid,
    RangePolynomial,
)
from kernels.model.products import (
    CalibrationLut,
    DetectedReader,
    GeolocationGrid,
    GrdProduct,
    IntensityReader,
    NoiseBlock,
    NoiseLut,
    NoiseVector,
    PixelReader,
    SlcProduct,
)
from kernels.model.rasters import (
    Dem,
)

__all__ = [
    "SPEED_OF_LIGHT",
    "Burst",
    "CalibrationLut",
    "Dem",
    "DetectedReader",
    "FloatOrArray",
    "GeographicBox",
    "GeolocationGrid",
    "GrdProduct",
    "GroundRangeGrid",
    "GroundRangeRecord",
    "ImageLines",
    "IntensityReader",
    "LookSide",
    "Looks",
    "MapGrid",
    "NoiseBlock",
    "NoiseLut",
    "NoiseVector",
    "OrbitSource",
    "PixelReader",
    "RadarGrid",
    "RangePolynomial",
    "Shape",
    "SlcProduct",
    "StateVectors",
]
