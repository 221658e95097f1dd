"""Interferometry: deramping, coregistration, resampling, interferogram and coherence."""
