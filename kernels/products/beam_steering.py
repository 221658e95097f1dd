"""From the turning of an antenna beam to the drift of its Doppler centroid, and back."""

from __future__ import annotations

import numpy as np

from kernels.model import StateVectors


def doppler_per_turn(vectors: StateVectors, *, time: float, wavelength: float) -> float:
    """Drift of the Doppler centroid in the raw data per turning of the beam [Hz/s per rad/s].

    Parameters
    ----------
    vectors : StateVectors
        The speed is that of the nearest one: it changes by 1e-5 over an image.
    time : float
        Instant on the clock of the vectors [s].
    wavelength : float
        [m].

    Returns
    -------
    float
        ``2 speed / wavelength``.
    """
    nearest = int(np.argmin(np.abs(vectors.times - time)))
    return 2.0 * float(np.linalg.norm(vectors.velocities[nearest])) / wavelength
