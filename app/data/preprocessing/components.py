"""Connected components of a mask."""

import numpy as np
from numpy.typing import NDArray


def label_components(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int64], int]:
    """Number the patches of `mask` (H, W), cells touching at sides or corners, from 1; 0 where the mask is false.

    Returns the numbers (H, W) and the count of patches. The time grows with the runs of true cells in the rows.
    A. Rosenfeld, J. Pfaltz, J. ACM 13(4), 1966, with runs instead of cells.
    """
    padded = np.pad(mask, ((0, 0), (1, 1))).astype(np.int8)
    steps = np.diff(padded, axis=1)
    rows, starts = np.nonzero(steps == 1)
    ends = np.nonzero(steps == -1)[1]
    parents = list(range(len(rows)))

    def root(run: int) -> int:
        while parents[run] != run:
            parents[run] = parents[parents[run]]
            run = parents[run]
        return run

    # Runs are sorted by row, so one pointer each into this row and the row above finds all neighbours.
    row_list, start_list, end_list = rows.tolist(), starts.tolist(), ends.tolist()
    above = 0
    for run, row in enumerate(row_list):
        while row_list[above] < row - 1 or (row_list[above] == row - 1 and end_list[above] < start_list[run]):
            above += 1
        other = above
        while other < run and row_list[other] == row - 1 and start_list[other] <= end_list[run]:
            parents[root(run)] = root(other)
            other += 1
    names: dict[int, int] = {}
    labels = np.zeros(mask.shape, np.int64)
    for run, row in enumerate(row_list):
        labels[row, start_list[run] : end_list[run]] = names.setdefault(root(run), len(names) + 1)
    return labels, len(names)
