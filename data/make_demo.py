"""Make the demo county: ``python data/make_demo.py --out DIR [--seed 20260520]``. Everything in it is invented."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from generator import county


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder to write into")
    parser.add_argument("--seed", type=int, default=county.SEED)
    wanted = parser.parse_args()
    county.write_all(wanted.out, wanted.seed)
    print(f"demo county written to {wanted.out}")


if __name__ == "__main__":
    main()
