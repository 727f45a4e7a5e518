"""Data sets in MNIST's format: Fashion-MNIST, KMNIST and EMNIST.

They are searched in a folder of DIGITPAD_DATA_DIR, then in the cache, then downloaded. A download is verified by the
SHA-256 of the published file; the user's files, which may be unpacked, by their headers and values only.
"""

import hashlib
import shutil
import string
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from app.data.dataset import Dataset, DatasetUnavailable, Split
from app.data.preprocessing.normalize import IMAGE_SIZE
from app.data.sources import download as net
from app.data.sources.idx import CHUNK_BYTES, ByteArray, read_idx
from app.data.sources.mnist import TEST_IMAGES, TEST_LABELS, TIMEOUT_SECONDS, TRAIN_IMAGES, TRAIN_LABELS, find_file
from app.errors import InputError, Message, joined

MAX_DOWNLOAD_BYTES = 640 << 20


@dataclass(frozen=True)
class IdxSet:
    """The source of a set. `files` are training images and labels, then test images and labels, without `.gz`.

    `hashes` are the SHA-256 of each published file: of NAME.gz, or of `archive`, a zip with all of them in a folder.
    `folder` is relative to DIGITPAD_DATA_DIR and the cache. `first` is the number of the first label in the files;
    `transposed` means that the pictures are transposed there.
    """

    name: str
    title: str
    description: str
    labels: tuple[str, ...]
    train: int
    test: int
    megabytes: int
    mirrors: tuple[str, ...]
    hashes: Mapping[str, str] = field(repr=False)
    folder: str
    files: tuple[str, str, str, str] = (TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS)
    archive: str | None = None
    first: int = 0
    transposed: bool = False


_EMNIST_MIRRORS = ("https://biometrics.nist.gov/cs_links/EMNIST/", "https://www.itl.nist.gov/iaui/vip/cs_links/EMNIST/")
_EMNIST_HASHES = {"gzip.zip": "fb9bb67e33772a9cc0b895e4ecf36d2cf35be8b709693c3564cea2a019fcda8e"}
"""As in TensorFlow Datasets."""


def _emnist_files(split: str) -> tuple[str, str, str, str]:
    images, labels = f"emnist-{split}-{{}}-images-idx3-ubyte", f"emnist-{split}-{{}}-labels-idx1-ubyte"
    return images.format("train"), labels.format("train"), images.format("test"), labels.format("test")


SETS: Mapping[str, IdxSet] = {
    source.name: source
    for source in (
        IdxSet(
            name="fashion-mnist",
            title="Fashion-MNIST",
            description="70,000 images of clothes, shoes and bags; harder than digits.",
            labels=(
                *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
                *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
            ),
            train=60_000,
            test=10_000,
            megabytes=31,
            mirrors=(
                "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
                "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
            ),
            hashes={  # as in TensorFlow Datasets and MegEngine
                f"{TRAIN_IMAGES}.gz": "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
                f"{TRAIN_LABELS}.gz": "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
                f"{TEST_IMAGES}.gz": "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
                f"{TEST_LABELS}.gz": "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
            },
            folder="fashion-mnist",
        ),
        IdxSet(
            name="kmnist",
            title="KMNIST",
            description=(
                "70,000 cursive hiragana (くずし字) from old Japanese books: ten characters, each in several shapes."
            ),
            labels=tuple("おきすつなはまやれを"),
            train=60_000,
            test=10_000,
            megabytes=21,
            mirrors=(
                "https://codh.rois.ac.jp/kmnist/dataset/kmnist/",
                "http://codh.rois.ac.jp/kmnist/dataset/kmnist/",
            ),
            hashes={  # as in torchvision and MegEngine
                f"{TRAIN_IMAGES}.gz": "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4",
                f"{TRAIN_LABELS}.gz": "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17",
                f"{TEST_IMAGES}.gz": "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5",
                f"{TEST_LABELS}.gz": "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c",
            },
            folder="kmnist",
        ),
        IdxSet(
            name="emnist-digits",
            title="EMNIST digits",
            description="280,000 digits from the same forms as MNIST: four times as many, by more people.",
            labels=tuple(string.digits),
            train=240_000,
            test=40_000,
            megabytes=562,
            mirrors=_EMNIST_MIRRORS,
            hashes=_EMNIST_HASHES,
            folder="emnist",
            files=_emnist_files("digits"),
            archive="gzip.zip",
            transposed=True,
        ),
        IdxSet(
            name="emnist-letters",
            title="EMNIST letters",
            description="145,600 letters from a to z; capital and small letters share a label.",
            labels=tuple(string.ascii_lowercase),
            train=124_800,
            test=20_800,
            megabytes=562,
            mirrors=_EMNIST_MIRRORS,
            hashes=_EMNIST_HASHES,
            folder="emnist",
            files=_emnist_files("letters"),
            archive="gzip.zip",
            first=1,
            transposed=True,
        ),
    )
}


def load_idx_set(
    source: IdxSet,
    *,
    data_dir: Path | None,
    cache_dir: Path,
    download: bool = True,
    timeout: float = TIMEOUT_SECONDS,
) -> Dataset:
    """Load a set, each file from the first place that has it. Raises DatasetUnavailable that says what to do.

    A damaged file in the user's folder is an error; one in the cache is downloaded again.
    """
    cache = cache_dir / source.folder
    arrays: list[ByteArray] = []
    for name in source.files:
        rank = 3 if "images" in name else 1
        own = None if data_dir is None else find_file(data_dir / source.folder, name)
        if own is not None:
            try:
                arrays.append(read_idx(own, rank=rank)[0])
            except (ValueError, OSError) as error:
                raise DatasetUnavailable(
                    "The file {name} of {title} in DIGITPAD_DATA_DIR is damaged: {reason}. Replace it, or remove "
                    "it to have it downloaded.",
                    name=own.name,
                    title=source.title,
                    reason=net.reason(error),
                ) from None
            continue
        arrays.append(_from_cache(source, name, rank, cache, source.mirrors if download else (), timeout))
    return Dataset(source.name, source.title, source.labels, _split(source, *arrays[:2]), _split(source, *arrays[2:]))


def is_present(source: IdxSet, *, data_dir: Path | None, cache_dir: Path) -> bool:
    """True if all files exist; they are not read."""
    folders = [folder / source.folder for folder in (data_dir, cache_dir) if folder is not None]
    return all(any(find_file(folder, name) for folder in folders) for name in source.files)


def _split(source: IdxSet, images: ByteArray, labels: ByteArray) -> Split:
    if images.shape != (len(labels), IMAGE_SIZE, IMAGE_SIZE) or not len(labels):
        raise DatasetUnavailable(
            "The files of {title} do not belong together: expected as many labels as 28×28 images; got {labels} and "
            "{shape}.",
            title=source.title,
            labels=len(labels),
            shape=" × ".join(map(str, images.shape)),
        )
    if labels.min() < source.first or labels.max() >= source.first + len(source.labels):
        raise DatasetUnavailable(
            "The files of {title} come from another data set: expected labels from {first} to {last}; got "
            "{low} to {high}.",
            title=source.title,
            first=source.first,
            last=source.first + len(source.labels) - 1,
            low=labels.min(),
            high=labels.max(),
        )
    if source.transposed:
        images = np.ascontiguousarray(images.transpose(0, 2, 1))
    return Split(images, labels - np.uint8(source.first))


def _from_cache(source: IdxSet, name: str, rank: int, cache: Path, mirrors: Sequence[str], timeout: float) -> ByteArray:
    packed = cache / f"{name}.gz"

    def read(path: Path) -> ByteArray:
        if source.archive is None:
            _check_hash(path, source.hashes[f"{name}.gz"])
        return read_idx(path, rank=rank)[0]

    if packed.is_file():
        try:
            return read(packed)
        except (ValueError, OSError):
            pass  # a damaged cache is replaced silently

    def fetch(mirror: str) -> ByteArray:
        if source.archive is None:
            return net.download(f"{mirror}{name}.gz", packed, read, timeout=timeout, most=MAX_DOWNLOAD_BYTES)
        _fetch_archive(source, f"{mirror}{source.archive}", cache, timeout)
        return read(packed)

    array, reasons = net.from_mirrors(mirrors, fetch)
    if array is not None:
        return array
    tried = Message(" Tried {reasons}.", reasons=joined(reasons)) if reasons else ""
    raise DatasetUnavailable(
        "The file {name} of {title} is neither in DIGITPAD_DATA_DIR nor in the cache, and could not be "
        "downloaded.{tried} Put its four files into the folder {folder} of DIGITPAD_DATA_DIR, or connect to the "
        "internet, or train on `strokes`, which digitpad draws itself.",
        name=name,
        title=source.title,
        tried=tried,
        folder=source.folder,
    )


def _fetch_archive(source: IdxSet, url: str, cache: Path, timeout: float) -> None:
    """Download the zip, extract the files of all its sets, and remove it, as it takes half a gigabyte."""
    assert source.archive is not None
    path, digest = cache / source.archive, source.hashes[source.archive]
    net.download(url, path, lambda partial: _check_hash(partial, digest), timeout=timeout, most=MAX_DOWNLOAD_BYTES)
    try:
        with zipfile.ZipFile(path) as archive:
            members = {Path(member).name: member for member in archive.namelist()}
            others = [name for other in SETS.values() if other.archive == source.archive for name in other.files]
            for name in dict.fromkeys((*source.files, *others)):
                member = members.get(f"{name}.gz")
                if member is None and name not in source.files:
                    continue
                if member is None:
                    raise InputError(
                        "expected {name}.gz in {archive}; got no such file", name=name, archive=source.archive
                    )
                partial = cache / f"{name}.gz.part"
                with archive.open(member) as packed, partial.open("wb") as file:
                    shutil.copyfileobj(packed, file, CHUNK_BYTES)
                partial.replace(cache / f"{name}.gz")
    except (zipfile.BadZipFile, zlib.error, EOFError):
        raise InputError("expected a complete zip file; got a damaged one") from None
    finally:
        path.unlink(missing_ok=True)
        for partial in cache.glob("*.gz.part"):
            partial.unlink(missing_ok=True)


def _check_hash(path: Path, expected: str) -> None:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != expected:
        raise InputError("expected SHA-256 {expected}; got {digest}", expected=expected, digest=digest)
