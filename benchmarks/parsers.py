"""The cost of files that are made to cost much, each read in a process of its own: `python -m benchmarks.parsers`.

Seconds are those of one core, megabytes the peak beyond the file itself. A name chooses: "npz" those of it.
"""

import sys

from tests.hostile.costs import COSTLY
from tests.hostile.measure import measure


def main(beginnings: list[str]) -> None:
    """Print the table."""
    print("| file | MB | seconds | memory, MB | |")
    print("|---|---|---|---|---|")
    for name in COSTLY:
        if name.startswith(tuple(beginnings) or ""):
            cost = measure(name)
            outcome = "refused" if cost.refusal else "read"
            line = f"{cost.size / 1e6:.1f} | {cost.seconds:.2f} | {cost.megabytes:.0f} | {outcome}"
            print(f"| {name} | {line} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
