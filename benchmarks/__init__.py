"""Benchmarks: ``python -m benchmarks NAME`` prints progress, then one JSON object."""
