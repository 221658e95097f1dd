"""Radiometry: calibration, noise and speckle filters."""
