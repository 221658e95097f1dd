"""Where pixels are: orbit, ellipsoid, zero-Doppler geometry, baselines, illumination, map grids."""
