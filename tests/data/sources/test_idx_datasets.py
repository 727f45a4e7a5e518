"""Fashion-MNIST, KMNIST and EMNIST: found, fetched from mirrors, checked and turned, on small files."""

import gzip
import hashlib
import io
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from app.data import DatasetCatalog, DatasetUnavailable
from app.data.sources.idx_datasets import SETS, is_present, load_idx_set
from tests.support.idx import write_idx

COUNTS = (12, 12, 6, 6)


class Site:
    """What the network would give, by URL, in place of `urlopen`."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []

    def open(self, url, timeout):
        self.asked.append(url)
        if url not in self.files:
            raise OSError(f"nothing at {url}")
        return io.BytesIO(self.files[url])


@pytest.fixture
def site(monkeypatch):
    site = Site()
    monkeypatch.setattr("urllib.request.urlopen", site.open)
    return site


def packed(source, tmp_path):
    """The four small files of a set, gzipped, by name."""
    rng = np.random.default_rng(len(source.name))
    files = {}
    for name, count in zip(source.files, COUNTS, strict=True):
        values = rng.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        if "labels" in name:
            values = (np.arange(count) % len(source.labels) + source.first).astype(np.uint8)
        write_idx(tmp_path / "one", values)
        files[name] = gzip.compress((tmp_path / "one").read_bytes())
    return files


def published(source, tmp_path, site, mirror=0):
    """Put small files at a mirror; the set with their hashes."""
    files = packed(source, tmp_path)
    if source.archive is None:
        names = {f"{name}.gz": data for name, data in files.items()}
    else:
        whole = io.BytesIO()
        with zipfile.ZipFile(whole, "w") as archive:
            archive.writestr("gzip/emnist-byclass-train-labels-idx1-ubyte.gz", b"of another set")
            for name, data in files.items():
                archive.writestr(f"gzip/{name}.gz", data)
        names = {source.archive: whole.getvalue()}
    for name, data in names.items():
        site.files[source.mirrors[mirror] + name] = data
    return replace(source, hashes={name: hashlib.sha256(data).hexdigest() for name, data in names.items()})


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("mirror", [0, 1])
def test_a_set_is_fetched_once_from_the_first_mirror_that_has_it(name, mirror, tmp_path, site):
    source = published(SETS[name], tmp_path, site, mirror)
    first = load_idx_set(source, data_dir=None, cache_dir=tmp_path / "cache")
    assert (len(first.train), len(first.test), first.labels) == (12, 6, source.labels)
    assert first.train.labels.tolist() == list(np.arange(12) % len(source.labels))
    assert is_present(source, data_dir=None, cache_dir=tmp_path / "cache")
    kept = {path.name for path in (tmp_path / "cache" / source.folder).iterdir()}
    assert kept == {f"{file}.gz" for file in source.files}
    site.asked.clear()
    again = load_idx_set(source, data_dir=None, cache_dir=tmp_path / "cache", download=False)
    assert np.array_equal(again.train.images, first.train.images)
    assert not site.asked


def test_emnist_is_turned_upright(tmp_path, site):
    source = published(SETS["emnist-letters"], tmp_path, site)
    dataset = load_idx_set(source, data_dir=None, cache_dir=tmp_path / "cache")
    lying = np.frombuffer(gzip.decompress(packed(source, tmp_path)[source.files[0]])[16:], np.uint8)
    assert np.array_equal(dataset.train.images, lying.reshape(-1, 28, 28).transpose(0, 2, 1))
    assert dataset.labels[dataset.train.labels[0]] == "a"


@pytest.mark.parametrize("name", ["kmnist", "emnist-digits"])
def test_a_file_that_is_not_the_published_one_is_refused_and_not_kept(name, tmp_path, site):
    source = published(SETS[name], tmp_path, site)
    source = replace(source, hashes=dict.fromkeys(source.hashes, "0" * 64))
    with pytest.raises(DatasetUnavailable, match="SHA-256") as error:
        load_idx_set(source, data_dir=None, cache_dir=tmp_path / "cache")
    assert str(tmp_path) not in str(error.value)
    assert list((tmp_path / "cache").rglob("*.*")) == []


def test_a_zip_without_the_set_is_refused(tmp_path, site):
    letters = published(SETS["emnist-letters"], tmp_path, site)
    source = replace(SETS["emnist-digits"], hashes=letters.hashes)
    with pytest.raises(DatasetUnavailable, match=r"expected emnist-digits-train-images-idx3-ubyte\.gz in gzip\.zip"):
        load_idx_set(source, data_dir=None, cache_dir=tmp_path / "cache")
    assert list((tmp_path / "cache").rglob("*.*")) == []


def test_a_damaged_file_in_the_cache_is_fetched_again(tmp_path, site):
    source = published(SETS["fashion-mnist"], tmp_path, site)
    load_idx_set(source, data_dir=None, cache_dir=tmp_path / "cache")
    (tmp_path / "cache" / source.folder / f"{source.files[0]}.gz").write_bytes(b"damaged")
    site.asked.clear()
    assert len(load_idx_set(source, data_dir=None, cache_dir=tmp_path / "cache").train) == 12
    assert [url.rpartition("/")[2] for url in site.asked] == [f"{source.files[0]}.gz"]


def own_files(source, tmp_path):
    folder = tmp_path / "own" / source.folder
    folder.mkdir(parents=True)
    for name, data in packed(source, tmp_path).items():
        (folder / name).write_bytes(gzip.decompress(data))
    return folder


def test_the_users_own_files_come_first_and_may_be_unpacked(tmp_path, site):
    source = SETS["kmnist"]
    own_files(source, tmp_path)
    assert len(load_idx_set(source, data_dir=tmp_path / "own", cache_dir=tmp_path / "cache").test) == 6
    assert not site.asked
    infos = {info.name: info for info in DatasetCatalog(tmp_path / "cache", tmp_path / "own").list()}
    assert (infos["kmnist"].state, infos["fashion-mnist"].state) == ("ready", "download")


@pytest.mark.parametrize(
    ("number", "array", "message"),
    [
        (0, np.zeros((12, 27, 28), np.uint8), "do not belong together"),
        (1, np.zeros(11, np.uint8), "do not belong together"),
        (1, np.full(12, 10, np.uint8), "labels from 0 to 9; got 10 to 10"),
        (2, np.zeros(6, np.uint8), "damaged: .*expected 3 dimensions; got 1"),
    ],
)
def test_own_files_that_are_something_else_are_refused_in_words(number, array, message, tmp_path):
    source = SETS["kmnist"]
    folder = own_files(source, tmp_path)
    write_idx(folder / source.files[number], array)
    with pytest.raises(DatasetUnavailable, match=message) as error:
        load_idx_set(source, data_dir=tmp_path / "own", cache_dir=tmp_path / "cache")
    assert str(tmp_path) not in str(error.value)


def test_without_network_the_message_says_what_to_do(tmp_path, site):
    for download in (True, False):
        with pytest.raises(DatasetUnavailable, match=r"folder emnist of DIGITPAD_DATA_DIR.*`strokes`"):
            load_idx_set(SETS["emnist-digits"], data_dir=None, cache_dir=tmp_path / "cache", download=download)
    assert len(site.asked) == 2  # the mirrors, and only when that is allowed


def test_every_set_has_a_hash_for_what_is_fetched_and_two_mirrors():
    for source in SETS.values():
        fetched = [source.archive] if source.archive else [f"{name}.gz" for name in source.files]
        assert sorted(source.hashes) == sorted(fetched)
        assert all(len(digest) == 64 for digest in source.hashes.values())
        assert len(set(source.mirrors)) == 2
        assert all(mirror.endswith("/") for mirror in source.mirrors)
        assert len(set(source.labels)) == len(source.labels)
