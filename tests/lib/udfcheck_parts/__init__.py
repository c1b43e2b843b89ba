# SPDX-License-Identifier: MIT
"""The parts of udfcheck.py: decoding, the volume, the files, and the space they use."""
