import contextlib
import struct
import zlib
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageFilter, TiffImagePlugin

from app.data import from_image, from_strokes
from app.data.preprocessing.decode import decode_image, file_decoders
from tests.support.drawings import CANVAS, encode, picture, recorded, standard_brush

DRAWINGS = {name: drawing["strokes"] for name, drawing in recorded().items()}
DIGITS = [name for name in DRAWINGS if name.startswith("digit")]
PAD_BRUSH = 32.0

# How far the 28×28 of a drawing's picture may be from that of its strokes, of a full 1.
MEAN_TOLERANCE = 0.008
MAX_TOLERANCE = 0.2
# The same for a picture whose light, noise or compression had to be taken out.
ROUGH_MEAN_TOLERANCE = 0.03


def difference(name, data):
    return np.abs(from_image(data).pixels - from_strokes(DRAWINGS[name]).pixels)


def assert_same(name, data):
    apart = difference(name, data)
    assert apart.mean() < MEAN_TOLERANCE
    assert apart.max() < MAX_TOLERANCE


def alpha_of(image):
    """Black ink on transparent paper, from black ink on white."""
    rgba = Image.new("RGBA", image.size, (0, 0, 0, 255))
    rgba.putalpha(image.point(lambda tone: 255 - tone))
    return rgba


# With the standard brush, the long thin stroke would leave the canvas.
@pytest.mark.parametrize(
    ("name", "brush"),
    [(name, brush) for name in DIGITS for brush in ("standard", "pad", "fine")]
    + [("long thin", "pad"), ("long thin", "fine")],
)
def test_a_drawing_is_the_same_as_strokes_and_as_a_picture(name, brush):
    strokes = DRAWINGS[name]
    width = {"standard": standard_brush(strokes), "pad": PAD_BRUSH, "fine": 6.0}[brush]
    assert_same(name, encode(picture(strokes, width)))


@pytest.mark.parametrize("name", DIGITS)
def test_white_ink_on_black_paper_is_the_same_drawing(name):
    assert_same(name, encode(picture(DRAWINGS[name], PAD_BRUSH, ink=255, paper=0)))


@pytest.mark.parametrize("name", DIGITS)
def test_transparent_paper_is_white_paper(name):
    image = alpha_of(picture(DRAWINGS[name], PAD_BRUSH))
    assert_same(name, encode(image))


def test_white_ink_on_transparent_paper_is_not_lost():
    image = alpha_of(picture(DRAWINGS["digit 3"], PAD_BRUSH))
    white = Image.new("RGBA", image.size, (255, 255, 255, 255))
    white.putalpha(image.getchannel("A"))
    assert_same("digit 3", encode(white))


@pytest.mark.parametrize("tone", [254, 248])
def test_nearly_white_ink_on_transparent_paper_is_not_lost(tone):
    image = alpha_of(picture(DRAWINGS["digit 3"], PAD_BRUSH))
    pale = Image.new("RGBA", image.size, (tone, tone, tone, 255))
    pale.putalpha(image.getchannel("A"))
    assert_same("digit 3", encode(pale))


def in_colours(ink, paper):
    """A drawing in two colours, mixed at the edges."""
    share = np.asarray(picture(DRAWINGS["digit 3"], PAD_BRUSH))[..., None] / 255
    return Image.fromarray((np.array(ink) * (1 - share) + np.array(paper) * share).round().astype(np.uint8))


@pytest.mark.parametrize(
    ("ink", "paper"),
    [
        ((255, 0, 0), (0, 130, 0)),
        ((230, 80, 80), (80, 156, 80)),
        ((0, 0, 255), (0, 50, 0)),
    ],
    ids=str,
)
def test_ink_as_light_as_its_paper_is_told_by_its_colour(ink, paper):
    image = in_colours(ink, paper)
    assert_same("digit 3", encode(image))
    assert_same("digit 3", encode(image.convert("P", palette=Image.Palette.ADAPTIVE)))
    for quality in (60, 90):
        assert difference("digit 3", encode(image, "JPEG", quality=quality)).mean() < ROUGH_MEAN_TOLERANCE


@pytest.mark.parametrize("most", [255, 1023, 1])
@pytest.mark.parametrize("inverted", [False, True])
def test_sixteen_bits_of_which_the_lower_ones_are_used_are_read(most, inverted):
    tones = np.asarray(picture(DRAWINGS["digit 3"], PAD_BRUSH)) / 255
    tones = ((1 - tones if inverted else tones) * most).round().astype(np.uint16)
    assert difference("digit 3", encode(Image.fromarray(tones))).mean() < ROUGH_MEAN_TOLERANCE


@pytest.mark.parametrize("kind", [2, 6])
def test_colours_of_sixteen_bits_of_which_the_lower_ones_are_used_are_read(kind):
    tones = np.asarray(picture(DRAWINGS["digit 3"], PAD_BRUSH))
    bands = [tones, tones, tones, np.full_like(tones, 255)][: 3 if kind == 2 else 4]
    rows = np.stack(bands, axis=-1).astype(">u2").reshape(CANVAS, -1)
    assert_same("digit 3", png(CANVAS, CANVAS, 16, kind, b"".join(b"\0" + row.tobytes() for row in rows)))


def noise(deviation, bands=3):
    paper = np.array([200, 205, 210])[:bands] + np.random.default_rng(5).normal(0, deviation, (300, 300, bands))
    return paper.clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("deviation", [0, 0.5, 1, 2, 4])
def test_noise_in_the_colours_or_the_lower_bits_of_empty_paper_is_no_ink(deviation):
    image = Image.fromarray(noise(deviation))
    assert from_image(encode(image)).blank
    assert from_image(encode(image, "JPEG")).blank
    assert from_image(encode(Image.fromarray(noise(deviation, 1)[..., 0].astype(np.uint16)))).blank


def ordinary():
    image, blue = picture(DRAWINGS["digit 3"], PAD_BRUSH), in_colours((30, 60, 160), (240, 235, 220))
    photo = np.asarray(blue) + np.random.default_rng(6).normal(0, 4, (CANVAS, CANVAS, 3))
    blue = Image.fromarray(photo.clip(0, 255).astype(np.uint8))
    yield from (image, image.convert("1"), image.convert("LA"), alpha_of(image), blue, blue.convert("P"))
    yield from (blue.convert("CMYK"), in_colours((255, 255, 0), (255, 255, 255)), in_colours((240,) * 3, (250,) * 3))
    yield Image.new("RGB", (9, 9), "red")


def test_an_ordinary_picture_is_its_luminance_on_white_bit_for_bit():
    for image in ordinary():
        data = encode(image, "JPEG" if image.mode == "CMYK" else "PNG")
        read = Image.open(BytesIO(data))
        grey = (read.convert("RGB") if read.mode == "CMYK" else read).convert("L")
        if read.has_transparency_data:
            rgba = read.convert("RGBA")
            white = Image.new("L", read.size, 255)
            grey = Image.composite(rgba.convert("RGB").convert("L"), white, rgba.getchannel("A"))
        assert np.array_equal(decode_image(data).grey, np.asarray(grey))


def test_a_dot_as_a_picture_is_a_dot():
    assert_same("dot", encode(picture(DRAWINGS["dot"], PAD_BRUSH)))


def as_mode(image, mode):
    if mode == "I;16":
        return Image.fromarray(np.asarray(image).astype(np.uint16) * 257)
    if mode == "LA":
        return image.convert("LA")
    return image.convert("RGB").convert(mode)


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_kind_of_png_is_read(mode):
    assert_same("digit 5", encode(as_mode(picture(DRAWINGS["digit 5"], PAD_BRUSH), mode)))


def test_a_png_of_one_bit_is_read():
    image = picture(DRAWINGS["digit 5"], PAD_BRUSH).convert("1")
    assert difference("digit 5", encode(image)).mean() < ROUGH_MEAN_TOLERANCE


def test_a_palette_with_a_transparent_entry_is_read():
    image = picture(DRAWINGS["digit 5"], PAD_BRUSH).convert("P")
    index = image.getpixel((0, 0))
    assert_same("digit 5", encode(image, transparency=index))


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_every_kind_of_jpeg_is_read(mode):
    image = picture(DRAWINGS["digit 5"], PAD_BRUSH).convert(mode)
    assert difference("digit 5", encode(image, "JPEG", quality=80)).mean() < ROUGH_MEAN_TOLERANCE


@pytest.mark.parametrize("orientation", [1, 2, 3, 4, 5, 6, 7, 8])
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_the_exif_orientation_is_applied(orientation, kind):
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    image = picture(DRAWINGS["digit 4"], PAD_BRUSH)
    if orientation in undo:
        image = image.transpose(undo[orientation])
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert difference("digit 4", encode(image, kind, exif=exif)).mean() < ROUGH_MEAN_TOLERANCE


def test_a_garbled_exif_block_is_passed_over():
    image = picture(DRAWINGS["digit 4"], PAD_BRUSH)
    data = encode(image, "JPEG", exif=b"Exif\x00\x00MM\x00*\xff\xff\xff\xffgarbage")
    assert difference("digit 4", data).mean() < ROUGH_MEAN_TOLERANCE


def lit(image, darkest):
    """The picture under light that falls off from one corner to the other, to `darkest` of it."""
    ramp = np.linspace(0, 1, CANVAS)
    light = 1 - (1 - darkest) * (ramp[:, None] + ramp[None, :]) / 2
    return np.asarray(image) * light


@pytest.mark.parametrize("name", DIGITS)
@pytest.mark.parametrize("inverted", [False, True])
def test_uneven_light_and_noise_are_taken_out(name, inverted):
    tones = (220, 40) if inverted else (40, 235)
    photo = lit(picture(DRAWINGS[name], PAD_BRUSH, ink=tones[0], paper=tones[1]), 0.5 if not inverted else 0.8)
    photo = photo + np.random.default_rng(1).normal(0, 6, photo.shape)
    data = encode(Image.fromarray(np.clip(photo, 0, 255).astype(np.uint8)), "JPEG", quality=85)
    assert difference(name, data).mean() < ROUGH_MEAN_TOLERANCE


def test_specks_of_dirt_on_a_noisy_picture_do_not_move_the_drawing():
    photo = np.asarray(picture(DRAWINGS["digit 8"], PAD_BRUSH, ink=40, paper=230)).astype(float)
    photo[30:36, 500:506] = 60
    photo[520:525, 40:46] = 50
    photo += np.random.default_rng(2).normal(0, 6, photo.shape)
    data = encode(Image.fromarray(np.clip(photo, 0, 255).astype(np.uint8)))
    assert difference("digit 8", data).mean() < ROUGH_MEAN_TOLERANCE


def test_pale_ink_counts_as_full_ink():
    assert_same("digit 6", encode(picture(DRAWINGS["digit 6"], PAD_BRUSH, ink=200, paper=245)))


def test_soft_edges_stay_soft():
    strokes = DRAWINGS["digit 0"]
    image = picture(strokes, standard_brush(strokes)).filter(ImageFilter.GaussianBlur(12))
    soft, sharp = (from_image(encode(i)).pixels for i in (image, picture(strokes, standard_brush(strokes))))

    def between(pixels):
        return ((pixels > 0.1) & (pixels < 0.9)).sum()

    assert between(soft) > 1.3 * between(sharp)


def test_a_drawing_cropped_to_its_ink_is_the_same_drawing():
    for name in ("digit 2", "digit 8"):
        image = picture(DRAWINGS[name], PAD_BRUSH)
        box = image.point(lambda tone: 255 - tone).getbbox()
        assert difference(name, encode(image.crop(box))).mean() < ROUGH_MEAN_TOLERANCE


def test_a_picture_that_is_28_by_28_already_stays_as_it_is():
    for name in DIGITS:
        image = from_strokes(DRAWINGS[name]).pixels
        data = encode(Image.fromarray(np.rint(255 * image).astype(np.uint8)))
        assert np.abs(from_image(data).pixels - image).mean() < 0.004


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (3, 2), (28, 28), (300, 200), (2500, 1700)])
@pytest.mark.parametrize("tone", [0, 128, 255])
def test_a_uniform_picture_is_blank(size, tone):
    prepared = from_image(encode(Image.new("L", size, tone)))
    assert prepared.blank
    assert not prepared.pixels.any()


def test_a_photograph_of_empty_paper_is_blank():
    photo = lit(Image.new("L", (CANVAS, CANVAS), 220), 0.6) + np.random.default_rng(3).normal(0, 5, (CANVAS, CANVAS))
    assert from_image(encode(Image.fromarray(photo.astype(np.uint8)), "JPEG")).blank


def test_a_transparent_picture_is_blank():
    assert from_image(encode(Image.new("RGBA", (50, 50), (0, 0, 0, 0)))).blank


def test_a_large_picture_gives_the_same_drawing():
    large = picture(DRAWINGS["digit 7"], PAD_BRUSH).resize((3000, 3000), Image.Resampling.BICUBIC)
    assert difference("digit 7", encode(large)).mean() < ROUGH_MEAN_TOLERANCE
    assert difference("digit 7", encode(large, "JPEG")).mean() < ROUGH_MEAN_TOLERANCE


def other_kind(kind):
    return encode(Image.new("RGB", (8, 8)), kind)


@pytest.mark.parametrize(
    ("data", "came"),
    [
        (b"", "an empty file"),
        (b"hello", "5 bytes of something else"),
        (other_kind("GIF"), "GIF"),
        (other_kind("BMP"), "BMP"),
        (other_kind("TIFF"), "TIFF"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "WebP"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"%PDF-1.7", "PDF"),
        (b"\x89PNG\r\n\x1a\n", "a PNG whose header cannot be read"),
        (b"\xff\xd8\xff\xe0", "a JPEG whose header cannot be read"),
    ],
)
def test_what_is_no_png_or_jpeg_is_refused(data, came):
    with pytest.raises(ValueError, match=f"^expected a (PNG or JPEG|complete) image; got {came}$"):
        from_image(data)
    with pytest.raises(ValueError, match=r"^expected a (complete|PNG, JPEG, BMP, GIF, WebP or TIFF) image; got "):
        from_image(data[:20], file_decoders())


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF"])
@pytest.mark.parametrize("mode", ["1", "L", "RGB"])
def test_files_of_every_usual_kind_are_read(kind, mode):
    image = picture(DRAWINGS["digit 5"], PAD_BRUSH).convert(mode)
    apart = np.abs(from_image(encode(image, kind), file_decoders()).pixels - from_strokes(DRAWINGS["digit 5"]).pixels)
    assert apart.mean() < ROUGH_MEAN_TOLERANCE


@pytest.mark.parametrize("kind", ["PNG", "GIF", "WEBP", "TIFF"])
def test_of_several_frames_the_first_is_read(kind):
    first, other = (picture(DRAWINGS[name], PAD_BRUSH) for name in ("digit 5", "digit 1"))
    data = encode(first, kind, save_all=True, append_images=[other])
    apart = np.abs(from_image(data, file_decoders()).pixels - from_strokes(DRAWINGS["digit 5"]).pixels)
    assert apart.mean() < ROUGH_MEAN_TOLERANCE


def test_a_tiff_of_real_numbers_is_read():
    real = Image.fromarray(np.asarray(picture(DRAWINGS["digit 5"], PAD_BRUSH)).astype(np.float32) / 255)
    apart = np.abs(from_image(encode(real, "TIFF"), file_decoders()).pixels - from_strokes(DRAWINGS["digit 5"]).pixels)
    assert apart.mean() < MEAN_TOLERANCE


def test_a_small_tiff_with_a_huge_tile_is_refused():
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    for tag, value in ((256, 8), (257, 8), (258, 8), (259, 8), (262, 1), (277, 1), (322, 2**15), (323, 2**15)):
        tags[tag] = value
    packed = zlib.compress(b"\0" * 10**6)
    tags[325] = len(packed)
    tags[324] = 0
    head = len(b"II*\0\x08\0\0\0" + tags.tobytes(8))
    tags[324] = head
    with pytest.raises(ValueError, match=r"^expected tiles of at most 20 megapixels; got 32768×32768"):
        from_image(b"II*\0\x08\0\0\0" + tags.tobytes(8) + packed, file_decoders())


@pytest.mark.parametrize("kind", ["BMP", "GIF", "WEBP", "TIFF"])
def test_garbled_files_are_refused_or_read_but_never_crash(kind):
    rng = np.random.default_rng(4)
    whole = encode(picture(DRAWINGS["digit 1"], PAD_BRUSH, size=100), kind)
    for _ in range(100):
        garbled = bytearray(whole)
        for place in rng.integers(0, min(len(whole), 400), 3):
            garbled[place] = rng.integers(0, 256)
        with contextlib.suppress(ValueError):
            assert from_image(bytes(garbled), file_decoders()).pixels.shape == (28, 28)


@pytest.mark.parametrize(
    "data",
    [
        b"BM" + struct.pack("<IIIIiiHHIIiiII", 100, 0, 54, 40, 30_000, 30_000, 1, 24, 0, 0, 0, 0, 0, 0),
        b"GIF89a" + struct.pack("<HHBBB", 60_000, 60_000, 0, 0, 0) + b",\0\0\0\0\x01\0\x01\0\0\x02\0;",
        b"RIFF\x1e\0\0\0WEBPVP8X\x0a\0\0\0\x02\0\0\0\xff\xff\0\xff\xff\0" + b"\0" * 8,
    ],
    ids=["BMP", "GIF", "WebP"],
)
def test_files_that_announce_too_many_pixels_are_refused(data):
    with pytest.raises(ValueError, match=r"^expected (an image of at most 20 megapixels|a complete image)"):
        from_image(data, file_decoders())


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
@pytest.mark.parametrize("share", [0.02, 0.1, 0.5, 0.95])
def test_a_picture_that_is_cut_short_is_refused(kind, share):
    data = encode(Image.effect_noise((200, 200), 50), kind)
    with pytest.raises(ValueError, match=r"^expected .*got a (PNG|JPEG)"):
        from_image(data[: int(len(data) * share)])


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_garbled_pictures_are_refused_or_read_but_never_crash(kind):
    rng = np.random.default_rng(4)
    whole = encode(picture(DRAWINGS["digit 1"], PAD_BRUSH, size=200), kind)
    for _ in range(150):
        garbled = bytearray(whole)
        for place in rng.integers(0, len(whole), 3):
            garbled[place] = rng.integers(0, 256)
        # Any other exception than ValueError ends the test.
        with contextlib.suppress(ValueError):
            assert from_image(bytes(garbled)).pixels.shape == (28, 28)


def png(width, height, bits, kind, rows):
    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0)
    body = zlib.compress(rows)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(5000, 4001), (20_000, 20_000), (2**31 - 1, 2**31 - 1)])
def test_a_picture_that_announces_too_much_is_refused_before_it_is_decoded(size):
    with pytest.raises(ValueError, match=f"at most 20 megapixels; got {size[0]}×{size[1]}"):
        from_image(png(*size, 8, 0, b"\0" * 1000))


def test_a_jpeg_that_announces_too_much_is_refused():
    data = bytearray(encode(Image.new("L", (16, 16)), "JPEG"))
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = struct.pack(">HH", 60_000, 60_000)
    with pytest.raises(ValueError, match="at most 20 megapixels; got 60000×60000"):
        from_image(bytes(data))


def test_a_text_chunk_that_unpacks_to_too_much_is_refused():
    from PIL import PngImagePlugin

    info = PngImagePlugin.PngInfo()
    info.add_text("bomb", "x" * (64 << 20), zip=True)
    buffer = BytesIO()
    Image.new("L", (8, 8)).save(buffer, "PNG", pnginfo=info)
    with pytest.raises(ValueError, match=r"^expected "):
        from_image(buffer.getvalue())
