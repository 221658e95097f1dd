"""Files to types and back: Sentinel-1 products, orbit files, elevation, rasters, pictures."""
