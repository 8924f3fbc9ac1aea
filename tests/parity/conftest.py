"""The checkpoints' NumPy reference and inputs are used here too."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "checkpoints"))
sys.path.insert(0, str(pathlib.Path(__file__).parent))
