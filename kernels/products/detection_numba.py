"""Compiled detection of complex pixels: arrays only, checked in `detection`."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray


@numba.njit(nogil=True, cache=True, error_model="numpy")
def detect_cells(
    pixels: NDArray[np.complex64],
    first_valid: NDArray[np.int32],
    last_valid: NDArray[np.int32],
    first_sample: int,
    azimuth_looks: int,
    range_looks: int,
    zero_is_data: bool,
    out: NDArray[np.float32],
) -> None:
    """Mean intensity of look cells.

    Parameters
    ----------
    pixels : ndarray of complex64, shape (lines * azimuth_looks, any)
        Lines of one burst; cells that reach past the last column have no data.
    first_valid, last_valid : ndarray of int32, shape (lines * azimuth_looks,)
        First and last sample of the file that carry signal on each line; -1 for none.
    first_sample : int
        Sample of the file in column 0.
    azimuth_looks, range_looks : int
        Lines and samples of a cell.
    zero_is_data : bool
        Whether cells whose samples are all 0 have data.
    out : ndarray of float32, shape (lines, samples)
        Receives the means; NaN where a sample of the cell is not valid.
    """
    lines, samples = out.shape
    share = np.float32(1.0 / (azimuth_looks * range_looks))
    for i in range(lines):
        first_row = i * azimuth_looks
        low, high = first_sample, first_sample + pixels.shape[1] - 1
        for row in range(first_row, first_row + azimuth_looks):
            low = max(low, first_valid[row])
            high = min(high, last_valid[row])
            if first_valid[row] < 0:
                high = -1
        for j in range(samples):
            left = j * range_looks
            if first_sample + left < low or first_sample + left + range_looks - 1 > high:
                out[i, j] = np.nan
                continue
            total = np.float32(0.0)
            for row in range(first_row, first_row + azimuth_looks):
                for column in range(left, left + range_looks):
                    z = pixels[row, column]
                    total += z.real * z.real + z.imag * z.imag
            out[i, j] = total * share if zero_is_data or total > 0.0 else np.float32(np.nan)
