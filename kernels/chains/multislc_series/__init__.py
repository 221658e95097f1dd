"""Coregistered series of SLC images, its interferograms and the products of the stack."""
