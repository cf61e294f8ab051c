#!/usr/bin/env python3
"""The plays of tests/plays: an MTA, and a peer that a script plays (play.py says what can stand in one)."""
import glob
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))
from play import play_test  # noqa: E402
from posthorn import main  # noqa: E402

main(*[play_test(path) for path in sorted(glob.glob(os.path.join(HERE, "..", "plays", "*.play")))])
