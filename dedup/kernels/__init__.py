"""Numba kernels over flat arrays: no strings, no files, no Python objects per item.

All kernels are plain ``nogil`` functions that are called from threads, a batch each, and are
cached on disk, so that a machine compiles them once.
"""
