import gzip
import hashlib
import http.server
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from app.data import Dataset, DatasetCatalog, DatasetUnavailable
from app.data.sources import mnist as mnist_module
from app.data.sources.mnist import HASHES, TEST_IMAGES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS, load_mnist
from tests.support.idx import write_idx

NAMES = (TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS)


@dataclass
class Small:
    """A set of four small files, with what they should hash to."""

    folder: Path
    hashes: dict[str, str]

    def packed(self, name: str) -> bytes:
        return gzip.compress((self.folder / name).read_bytes())


@dataclass
class Mirror:
    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    announce: int = 0


@pytest.fixture
def small(tmp_path: Path) -> Small:
    folder = tmp_path / "original"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for count, images, labels in ((20, TRAIN_IMAGES, TRAIN_LABELS), (10, TEST_IMAGES, TEST_LABELS)):
        write_idx(folder / images, rng.integers(0, 256, (count, 28, 28), dtype=np.uint8))
        write_idx(folder / labels, (np.arange(count) % 10).astype(np.uint8))
    return Small(folder, {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in NAMES})


@pytest.fixture
def mirrors() -> Iterator[tuple[Mirror, Mirror]]:
    servers, pair = [], (Mirror(), Mirror())
    for mirror in pair:

        class Handler(http.server.BaseHTTPRequestHandler):
            source = mirror

            def do_GET(self) -> None:
                name = self.path.lstrip("/")
                self.source.asked.append(name)
                body = self.source.files.get(name)
                self.send_response(404 if body is None else 200)
                self.send_header("Content-Length", str(len(body or b"") + self.source.announce))
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, *args: object) -> None:
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        servers.append((server, thread))
        mirror.url = f"http://127.0.0.1:{server.server_port}/"
    yield pair
    for server, thread in servers:
        server.shutdown()
        server.server_close()
        thread.join()


def load(small: Small, tmp_path: Path, *, data_dir: Path | None = None, mirrors=(), download=True) -> Dataset:
    return load_mnist(
        data_dir=data_dir,
        cache_dir=tmp_path / "cache",
        download=download,
        mirrors=[mirror.url for mirror in mirrors],
        hashes=small.hashes,
        timeout=5,
    )


def serve(mirror: Mirror, small: Small) -> None:
    mirror.files = {f"{name}.gz": small.packed(name) for name in NAMES}


def test_files_in_the_users_folder_are_read_without_network_or_cache(small, tmp_path, mirrors):
    dataset = load(small, tmp_path, data_dir=small.folder, mirrors=mirrors)
    assert (len(dataset.train), len(dataset.test)) == (20, 10)
    assert dataset.labels == tuple("0123456789")
    assert dataset.train.images.shape == (20, 28, 28)
    assert not (tmp_path / "cache").exists()
    assert not mirrors[0].asked


def test_the_users_folder_comes_before_the_cache(small, tmp_path):
    cache = tmp_path / "cache" / "mnist"
    cache.mkdir(parents=True)
    for name in NAMES:
        (cache / name).write_bytes(b"damaged")
    assert len(load(small, tmp_path, data_dir=small.folder).train) == 20


def test_a_file_missing_from_the_users_folder_comes_from_the_cache(small, tmp_path):
    cache = tmp_path / "cache" / "mnist"
    cache.mkdir(parents=True)
    (small.folder / TEST_LABELS).rename(cache / TEST_LABELS)
    assert len(load(small, tmp_path, data_dir=small.folder).test) == 10


def test_files_may_be_gzipped(small, tmp_path):
    for name in NAMES:
        (small.folder / f"{name}.gz").write_bytes(small.packed(name))
        (small.folder / name).unlink()
    assert len(load(small, tmp_path, data_dir=small.folder).test) == 10


def test_a_damaged_file_in_the_users_folder_is_named_and_never_passed_over(small, tmp_path, mirrors):
    serve(mirrors[0], small)
    data = bytearray((small.folder / TRAIN_LABELS).read_bytes())
    data[-1] ^= 1
    (small.folder / TRAIN_LABELS).write_bytes(data)
    with pytest.raises(DatasetUnavailable, match=rf"{TRAIN_LABELS} in DIGITPAD_DATA_DIR.*SHA-256.*`strokes`") as error:
        load(small, tmp_path, data_dir=small.folder, mirrors=mirrors)
    assert str(tmp_path) not in str(error.value)
    assert not mirrors[0].asked


def test_a_download_is_kept_and_not_repeated(small, tmp_path, mirrors):
    serve(mirrors[0], small)
    first = load(small, tmp_path, mirrors=mirrors)
    assert sorted(mirrors[0].asked) == sorted(f"{name}.gz" for name in NAMES)
    assert not mirrors[1].asked
    second = load(small, tmp_path, download=False)
    assert np.array_equal(first.train.images, second.train.images)
    assert sorted(path.name for path in (tmp_path / "cache" / "mnist").iterdir()) == sorted(f"{n}.gz" for n in NAMES)


def test_a_damaged_file_in_the_cache_is_downloaded_again(small, tmp_path, mirrors):
    serve(mirrors[0], small)
    load(small, tmp_path, mirrors=mirrors)
    cache = tmp_path / "cache" / "mnist"
    (cache / TEST_IMAGES).write_bytes(b"damaged, and without .gz it is found first")
    (cache / f"{TEST_LABELS}.gz").write_bytes(small.packed(TEST_LABELS)[:-5])
    mirrors[0].asked.clear()
    assert len(load(small, tmp_path, mirrors=mirrors).test) == 10
    assert sorted(mirrors[0].asked) == [f"{TEST_IMAGES}.gz", f"{TEST_LABELS}.gz"]
    assert len(load(small, tmp_path, download=False).test) == 10


@pytest.mark.parametrize("fault", ["missing", "damaged", "cut short", "broken off", "another file"])
def test_the_second_mirror_is_tried_when_the_first_fails(small, tmp_path, mirrors, fault):
    first, second = mirrors
    serve(first, small)
    serve(second, small)
    name = f"{TEST_IMAGES}.gz"
    if fault == "missing":
        del first.files[name]
    elif fault == "damaged":
        first.files[name] = b"<html>sign in to the hotel's network</html>"
    elif fault == "cut short":
        first.files[name] = first.files[name][:-100]
    elif fault == "broken off":
        first.announce = 1000
        first.files = {key: value[:-50] for key, value in first.files.items()}
    else:
        first.files[name] = first.files[f"{TRAIN_IMAGES}.gz"]
    assert len(load(small, tmp_path, mirrors=mirrors).test) == 10
    assert name in second.asked


def test_when_all_mirrors_fail_the_message_says_what_to_do_and_nothing_is_left(small, tmp_path, mirrors):
    mirrors[1].files = {f"{name}.gz": b"damaged" for name in NAMES}
    with pytest.raises(DatasetUnavailable) as error:
        load(small, tmp_path, mirrors=mirrors)
    message = str(error.value)
    for part in ("DIGITPAD_DATA_DIR", "internet", "`strokes`", "HTTP status 404", TRAIN_IMAGES):
        assert part in message
    assert str(tmp_path) not in message
    assert list((tmp_path / "cache" / "mnist").iterdir()) == []


def test_a_mirror_that_is_not_there_is_no_traceback(small, tmp_path):
    gone = Mirror("http://127.0.0.1:9/")
    with pytest.raises(DatasetUnavailable, match="no connection"):
        load(small, tmp_path, mirrors=(gone,))


def test_without_leave_to_download_nobody_is_asked(small, tmp_path, mirrors):
    serve(mirrors[0], small)
    with pytest.raises(DatasetUnavailable, match="`strokes`"):
        load(small, tmp_path, mirrors=mirrors, download=False)
    assert not mirrors[0].asked


def test_a_download_that_does_not_end_is_broken_off(small, tmp_path, mirrors, monkeypatch):
    serve(mirrors[0], small)
    monkeypatch.setattr(mnist_module, "MAX_DOWNLOAD_BYTES", 1000)
    with pytest.raises(DatasetUnavailable, match="at most 1000 bytes"):
        load(small, tmp_path, mirrors=mirrors[:1])
    assert list((tmp_path / "cache" / "mnist").iterdir()) == []


def test_a_cache_that_cannot_be_made_is_said_in_words(small, tmp_path, mirrors):
    serve(mirrors[0], small)
    (tmp_path / "cache").write_text("a file where the folder should be")
    with pytest.raises(DatasetUnavailable, match="could not be downloaded"):
        load(small, tmp_path, mirrors=mirrors)


def test_the_hashes_are_those_of_four_different_files():
    assert set(HASHES) == set(NAMES)
    assert len(set(HASHES.values())) == 4


def test_the_real_set_loads(tmp_path):
    folder = os.environ.get("DIGITPAD_DATA_DIR")
    if not folder:
        pytest.skip("DIGITPAD_DATA_DIR names no folder with the real MNIST")
    dataset = DatasetCatalog(tmp_path, Path(folder)).load("mnist", download=False)
    assert (len(dataset.train), len(dataset.test)) == (60_000, 10_000)
    assert dataset.train.labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert np.bincount(dataset.test.labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
