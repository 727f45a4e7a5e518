"""MNIST, from the user's folder, from the cache, or downloaded; always verified.

Y. LeCun, C. Cortes, C. J. C. Burges, "The MNIST database of handwritten digits", 1998.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from app.data.dataset import Dataset, DatasetUnavailable, Split
from app.data.sources import download as net
from app.data.sources.idx import ByteArray, read_idx
from app.errors import InputError, Message, joined

LABELS = tuple("0123456789")
TITLE = "MNIST"

TRAIN_IMAGES = "train-images-idx3-ubyte"
TRAIN_LABELS = "train-labels-idx1-ubyte"
TEST_IMAGES = "t10k-images-idx3-ubyte"
TEST_LABELS = "t10k-labels-idx1-ubyte"

HASHES: Mapping[str, str] = {
    TRAIN_IMAGES: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    TRAIN_LABELS: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    TEST_IMAGES: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    TEST_LABELS: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
"""SHA-256 of each file, unpacked."""

MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
TIMEOUT_SECONDS = 20.0
MAX_DOWNLOAD_BYTES = 64 << 20


def load_mnist(
    *,
    data_dir: Path | None,
    cache_dir: Path,
    download: bool = True,
    mirrors: Sequence[str] = MIRRORS,
    hashes: Mapping[str, str] = HASHES,
    timeout: float = TIMEOUT_SECONDS,
) -> Dataset:
    """Load MNIST, 60,000 images for training and 10,000 for testing; each file from the first place that has it.

    `data_dir` is the user's folder, or has it as `mnist`; a damaged file there is an error. A damaged file in
    `cache_dir / "mnist"` is downloaded again. `mirrors` end in a slash, `hashes` are of the unpacked files, `timeout`
    is in seconds. Raises DatasetUnavailable.
    """

    def load(name: str, rank: int) -> ByteArray:
        own = next((path for folder in _folders(data_dir) if (path := find_file(folder, name))), None)
        if own is not None:
            try:
                return _read_checked(own, name, rank, hashes)
            except (ValueError, OSError) as error:
                raise DatasetUnavailable(
                    "The MNIST file {name} in DIGITPAD_DATA_DIR is damaged: {reason}. Replace it, or unset "
                    "DIGITPAD_DATA_DIR to have MNIST downloaded, or train on `strokes`, which needs no file.",
                    name=own.name,
                    reason=net.reason(error),
                ) from None
        return _from_cache(name, rank, cache_dir / "mnist", hashes, mirrors if download else (), timeout)

    train = _split(load(TRAIN_IMAGES, 3), load(TRAIN_LABELS, 1))
    test = _split(load(TEST_IMAGES, 3), load(TEST_LABELS, 1))
    return Dataset("mnist", TITLE, LABELS, train, test)


def find_file(folder: Path, name: str) -> Path | None:
    """The path of the file `name` in a folder, with or without `.gz`, or None."""
    return next((path for path in (folder / name, folder / f"{name}.gz") if path.is_file()), None)


def is_present(*, data_dir: Path | None, cache_dir: Path) -> bool:
    """True if all four files exist; they are not read."""
    folders = [*_folders(data_dir), cache_dir / "mnist"]
    return all(any(find_file(folder, name) for folder in folders) for name in HASHES)


def _folders(data_dir: Path | None) -> list[Path]:
    """The places of the user's files: the folder itself, and its folder `mnist`."""
    return [] if data_dir is None else [data_dir, data_dir / "mnist"]


def _split(images: ByteArray, labels: ByteArray) -> Split:
    if images.shape[1:] != (28, 28) or len(images) != len(labels) or labels.max(initial=0) >= len(LABELS):
        raise DatasetUnavailable("The MNIST files do not belong together. Train on `strokes`, which needs no file.")
    return Split(images, labels)


def _read_checked(path: Path, name: str, rank: int, hashes: Mapping[str, str]) -> ByteArray:
    array, digest = read_idx(path, rank=rank)
    if digest != hashes[name]:
        raise InputError("expected SHA-256 {hashes}; got {digest}", field=path.name, hashes=hashes[name], digest=digest)
    return array


def _from_cache(
    name: str, rank: int, folder: Path, hashes: Mapping[str, str], mirrors: Sequence[str], timeout: float
) -> ByteArray:
    cached = find_file(folder, name)
    if cached is not None:
        try:
            return _read_checked(cached, name, rank, hashes)
        except (ValueError, OSError):
            pass  # a damaged cache is replaced silently
    array, reasons = net.from_mirrors(
        mirrors, lambda mirror: _download(mirror + name + ".gz", name, rank, folder, hashes, timeout)
    )
    if array is not None:
        return array
    tried = Message(" Tried {reasons}.", reasons=joined(reasons)) if reasons else ""
    raise DatasetUnavailable(
        "The MNIST file {name} is neither in DIGITPAD_DATA_DIR nor in the cache, and could not be "
        "downloaded.{tried} Put the four MNIST files into a folder and name it in DIGITPAD_DATA_DIR, or connect "
        "to the internet, or train on `strokes`, which digitpad draws itself.",
        name=name,
        tried=tried,
    )


def _download(url: str, name: str, rank: int, folder: Path, hashes: Mapping[str, str], timeout: float) -> ByteArray:
    array = net.download(
        url,
        folder / f"{name}.gz",
        lambda path: _read_checked(path, name, rank, hashes),
        timeout=timeout,
        most=MAX_DOWNLOAD_BYTES,
    )
    # An unpacked, damaged copy would be found first.
    (folder / name).unlink(missing_ok=True)
    return array
