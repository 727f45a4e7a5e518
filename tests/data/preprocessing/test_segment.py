"""Which strokes and which ink belong together: digits side by side are parted, the strokes of one digit never."""

import json

import numpy as np
import pytest

from app.data import drawing_from_image, drawing_from_strokes, from_strokes
from app.data.preprocessing.components import label_components
from app.data.preprocessing.segment import MAX_GROUPS, segment_ink, segment_strokes
from tests.support.drawings import FIXTURES, encode, picture, recorded

DRAWINGS = recorded()
RECORDED = json.loads((FIXTURES / "drawings.json").read_text())["drawings"]
SINGLE = [(name, drawing["strokes"]) for name, drawing in DRAWINGS.items() if any(drawing["strokes"])]
SINGLE += [(f"{index} {drawing['kind']}", drawing["strokes"]) for index, drawing in enumerate(RECORDED)]


def groups(*strokes):
    return segment_strokes([np.array(stroke, float).reshape(-1, 2) for stroke in strokes])


def shifted(strokes, x, y=0):
    return [[[a + x, b + y] for a, b in stroke] for stroke in strokes]


@pytest.mark.parametrize(("name", "strokes"), SINGLE, ids=[name for name, _ in SINGLE])
def test_a_single_recorded_drawing_is_never_split(name, strokes):
    assert drawing_from_strokes(strokes).parts == ()


@pytest.mark.parametrize("name", [f"digit {digit}" for digit in range(10)])
@pytest.mark.parametrize("brush", [6, 20, 40])
def test_a_picture_of_a_single_digit_is_not_split(name, brush):
    assert drawing_from_image(encode(picture(DRAWINGS[name]["strokes"], brush))).parts == ()


UPRIGHT = [[0, 0], [0, 100]]


@pytest.mark.parametrize(
    "strokes",
    [
        [[[0, 0], [-20, 60], [60, 60]], [[40, 20], [40, 100]]],  # 4, crossing
        [[[0, 0], [-20, 60], [30, 60]], [[34, 20], [34, 100]]],  # 4, nearly touching
        [[[0, 0], [0, 40], [40, 60], [0, 100]], [[10, -15], [60, -18]]],  # 5, its bar free above
        [[[0, 0], [60, 0], [20, 100]], [[15, 50], [55, 45]]],  # 7 with a bar across
        [[[0, 0], [60, 0]], [[0, 30], [60, 30]]],  # =
        [[[0, 0], [60, 100]], [[60, 0], [0, 100]]],  # two crossing lines
        [[[30, 0]], [[30, 40], [30, 100]]],  # a dot above a line
        [UPRIGHT, [[-20, 100], [20, 100]], [[-15, 20], [0, 0]]],  # 1 in three strokes
    ],
)
def test_strokes_that_cross_touch_or_lie_above_one_another_stay_together(strokes):
    assert groups(*strokes) == [list(range(len(strokes)))]


def test_strokes_side_by_side_are_parted_from_left_to_right_whatever_their_order():
    assert groups([[200, 0], [200, 100]], UPRIGHT, [[100, 5], [100, 90]]) == [[1], [2], [0]]
    assert groups(UPRIGHT, [[20, 0], [20, 100]]) == [[0], [1]]


def test_strokes_without_points_belong_nowhere():
    assert groups() == []
    assert groups([], []) == []
    assert groups([], UPRIGHT) == [[1]]
    assert groups(UPRIGHT, [], [[50, 0], [50, 100]]) == [[0], [2]]


@pytest.mark.parametrize("scale", [1e-300, 1e-3, 1, 1e6, 1e300, 8e305])
def test_neither_place_nor_size_changes_the_groups(scale):
    strokes = [np.array([[x, 0.0], [x + 5, 100.0]]) * scale for x in (0, 60, 130)]
    assert segment_strokes(strokes) == [[0], [1], [2]]


def test_a_dot_beside_a_digit_is_a_part_of_its_own():
    assert len(drawing_from_strokes([*DRAWINGS["digit 3"]["strokes"], [[480, 400]]]).parts) == 2


@pytest.mark.parametrize(("count", "expected"), [(MAX_GROUPS, MAX_GROUPS), (MAX_GROUPS + 1, 1), (10_000, 1)])
def test_more_groups_than_a_number_has_are_not_split(count, expected):
    assert len(groups(*([[20 * i, 0]] + ([[20 * i, 90]] if count < 100 else []) for i in range(count)))) == expected


def test_the_parts_are_prepared_as_if_each_were_alone():
    one, two = DRAWINGS["digit 4"]["strokes"], DRAWINGS["digit 5"]["strokes"]
    sheet = drawing_from_strokes([*one, *shifted(two, 400)])
    assert [part.prepared.pixels.tolist() for part in sheet.parts] == [
        from_strokes(one).pixels.tolist(),
        from_strokes(shifted(two, 400)).pixels.tolist(),
    ]
    image = picture([*one, *shifted(two, 400)], 30, size=1000)
    for part, alone in zip(drawing_from_image(encode(image)).parts, (one, two), strict=True):
        assert np.abs(part.prepared.pixels - from_strokes(alone).pixels).mean() < 0.01


def test_boxes_of_a_large_turned_picture_are_in_its_own_pixels():
    from PIL import Image

    strokes = [*DRAWINGS["digit 4"]["strokes"], *shifted(DRAWINGS["digit 5"]["strokes"], 400)]
    image = picture(strokes, 30, size=1000).crop((0, 0, 1000, 560)).resize((3000, 1680))
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encode(image.transpose(Image.Transpose.ROTATE_90), exif=exif)
    first, second = drawing_from_image(data).parts
    points = np.concatenate(DRAWINGS["digit 4"]["strokes"])
    assert first.box[0] == pytest.approx(3 * (points[:, 0].min() - 15), abs=15)
    assert first.box[3] == pytest.approx(3 * (np.ptp(points[:, 1]) + 30), abs=25)
    assert second.box[0] == pytest.approx(first.box[0] + 1200, abs=120)


def test_a_speck_of_dirt_is_no_group():
    ink = np.zeros((200, 300), np.float32)
    ink[20:180, 50:70] = 1
    ink[100:103, 200:203] = 1
    assert segment_ink(ink) == []
    ink[20:180, 200:220] = 1
    assert [group.box for group in segment_ink(ink)] == [(20, 50, 180, 70), (20, 200, 180, 220)]


def test_ink_of_noise_is_not_split_and_ends():
    rng = np.random.default_rng(0)
    for share in (0.001, 0.05, 0.5):
        assert len(segment_ink((rng.random((1000, 1000)) < share).astype(np.float32))) <= MAX_GROUPS


def test_no_ink_has_no_groups():
    assert segment_ink(np.zeros((30, 30), np.float32)) == []
    assert segment_ink(np.full((30, 30), 0.3, np.float32)) == []


def test_components_are_those_of_a_flood_fill():
    rng = np.random.default_rng(2)
    for share in (0.1, 0.3, 0.5, 0.9):
        mask = rng.random((25, 31)) < share
        labels, count = label_components(mask)
        expected, left = [], {tuple(cell) for cell in np.argwhere(mask).tolist()}
        while left:
            patch, queue = set(), [left.pop()]
            while queue:
                y, x = queue.pop()
                patch.add((y, x))
                near = {(y + i, x + j) for i in (-1, 0, 1) for j in (-1, 0, 1)} & left
                left -= near
                queue += near
            expected.append(frozenset(patch))
        found = {frozenset(map(tuple, np.argwhere(labels == n + 1).tolist())) for n in range(count)}
        assert found == set(expected)
        assert (labels == 0).tolist() == (~mask).tolist()
