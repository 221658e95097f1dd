"""How work is run: bands of rows, bounded threads, progress, cancel, scratch folders.

Knows nothing of SAR: only arrays, callables and folders.
"""
