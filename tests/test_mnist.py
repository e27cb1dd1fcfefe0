"""load_mnist: where it looks, what it refuses, what it does without a network. Small files stand in for MNIST."""

import gzip
import hashlib
import http.server
import os
import shutil
import socket
import struct
import tempfile
import threading
import time
from pathlib import Path

import pytest
import torch
import torchvision
from material import fresh

import lenet_helpers as lh
from notebooks.support import mnist

LABELS = {"train": list(range(10)) * 3, "t10k": list(range(10))}


def idx_files():
    """The four files of a tiny MNIST, in the IDX format."""
    files = {}
    for part, labels in LABELS.items():
        pixels = bytes((7 * i + len(labels)) % 256 for i in range(len(labels) * 784))
        files[f"{part}-images-idx3-ubyte"] = struct.pack(">4i", 2051, len(labels), 28, 28) + pixels
        files[f"{part}-labels-idx1-ubyte"] = struct.pack(">2i", 2049, len(labels)) + bytes(labels)
    return files


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """A folder with a tiny MNIST that load_mnist takes for the real one; the project's own data/ is empty."""
    files = idx_files()
    monkeypatch.setattr(
        mnist,
        "MNIST_FILES",
        {
            name: (len(files[name]), hashlib.md5(files[name]).hexdigest())
            for name in mnist.MNIST_FILES
        },
    )
    monkeypatch.setattr(mnist, "PROJECT", tmp_path / "project")
    folder = tmp_path / "mnist"
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def is_tiny(digits):
    return (
        digits.source == "MNIST"
        and digits.train.tensors[1].tolist() == LABELS["train"]
        and digits.test.tensors[1].tolist() == LABELS["t10k"]
    )


@pytest.mark.parametrize("place", ["", "MNIST/raw"])
@pytest.mark.parametrize("packed", [False, True])
def test_plain_or_gz_in_the_folder_or_in_raw(tiny, tmp_path, place, packed):
    folder = tmp_path / "other"
    (folder / place).mkdir(parents=True)
    for path in tiny.iterdir():
        content = path.read_bytes()
        (folder / place / (path.name + ".gz" * packed)).write_bytes(
            gzip.compress(content) if packed else content
        )
    digits = lh.load_mnist(folder)
    assert is_tiny(digits)
    images, labels = digits.train.tensors
    assert (
        images.shape == (30, 1, 28, 28)
        and images.dtype == torch.uint8
        and labels.dtype == torch.int64
    )
    expected = torchvision.datasets.mnist.read_image_file(str(tiny / "train-images-idx3-ubyte"))
    assert torch.equal(images[:, 0], expected)


def test_order_of_search(tiny, tmp_path, monkeypatch):
    monkeypatch.setenv("LENET_DATA", str(tiny))
    assert is_tiny(lh.load_mnist())
    monkeypatch.setenv(
        "LENET_DATA", "../mnist"
    )  # counts from the helper's folder, wherever the kernel runs
    assert is_tiny(lh.load_mnist())
    with pytest.raises(
        FileNotFoundError, match="no-such"
    ):  # a folder that was named is never passed over
        lh.load_mnist(tmp_path / "no-such")
    monkeypatch.delenv("LENET_DATA")
    tiny.rename(tmp_path / "new")
    (tmp_path / "project").mkdir()
    (tmp_path / "new").rename(tmp_path / "project" / "data")
    assert is_tiny(lh.load_mnist())


def overwrite(name, content):
    return name, lambda folder: (folder / name).write_bytes(content)


def flipped(content, place):
    return content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :]


FAULTS = {
    "missing": ("t10k-labels-idx1-ubyte", lambda f: (f / "t10k-labels-idx1-ubyte").unlink()),
    "truncated": (
        "train-images-idx3-ubyte",
        lambda f: (f / "train-images-idx3-ubyte").write_bytes(
            (f / "train-images-idx3-ubyte").read_bytes()[:-1000]
        ),
    ),
    "web page": (
        "t10k-images-idx3-ubyte.gz",
        lambda f: (
            (f / "t10k-images-idx3-ubyte").unlink(),
            (f / "t10k-images-idx3-ubyte.gz").write_bytes(
                b"\n<!DOCTYPE html><html>Please log in</html>"
            ),
        ),
    ),
    "zipped web page": (
        "t10k-images-idx3-ubyte.gz",
        lambda f: (
            (f / "t10k-images-idx3-ubyte").unlink(),
            (f / "t10k-images-idx3-ubyte.gz").write_bytes(
                gzip.compress(b"<html>Please log in</html>")
            ),
        ),
    ),
    "other split": (
        "train-labels-idx1-ubyte",
        lambda f: (f / "train-labels-idx1-ubyte").write_bytes(
            (f / "t10k-labels-idx1-ubyte").read_bytes()
        ),
    ),
    "zero bytes": overwrite("train-labels-idx1-ubyte", b""),
    "a bit flipped": (
        "train-images-idx3-ubyte",
        lambda f: (f / "train-images-idx3-ubyte").write_bytes(
            (f / "train-images-idx3-ubyte").read_bytes()[:-1] + b"\xff"
        ),
    ),
    "a byte flipped inside the gz": (
        "train-labels-idx1-ubyte.gz",
        lambda f: (
            (f / "train-labels-idx1-ubyte.gz").write_bytes(
                flipped(gzip.compress((f / "train-labels-idx1-ubyte").read_bytes()), 20)
            ),
            (f / "train-labels-idx1-ubyte").unlink(),
        ),
    ),
    "broken gz": (
        "train-images-idx3-ubyte.gz",
        lambda f: (
            (f / "train-images-idx3-ubyte.gz").write_bytes(
                gzip.compress((f / "train-images-idx3-ubyte").read_bytes())[:-9]
            ),
            (f / "train-images-idx3-ubyte").unlink(),
        ),
    ),
}


def snapshot(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_named_folder_with_a_fault(tiny, fault):
    name, spoil = FAULTS[fault]
    spoil(tiny)
    before = snapshot(tiny)
    with pytest.raises((ValueError, FileNotFoundError)) as error:
        lh.load_mnist(tiny)
    assert name in str(error.value) and len(str(error.value).splitlines()) <= 2
    assert snapshot(tiny) == before


def test_a_file_in_place_of_the_folder(tiny):
    with pytest.raises(FileNotFoundError, match="train-labels"):
        lh.load_mnist(tiny / "train-labels-idx1-ubyte")


@pytest.fixture
def mirror(tiny, monkeypatch):
    """A server on this machine in place of MNIST's mirrors; `mirror.answers` maps file names to contents."""
    answers = {
        path.name + ".gz": gzip.compress(path.read_bytes(), mtime=0) for path in tiny.iterdir()
    }

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            content = self.server.answers.get(self.path.lstrip("/"))
            if content is None:
                return self.send_error(404)
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

        do_HEAD = do_GET

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.answers = answers
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    source = torchvision.datasets.MNIST
    monkeypatch.setattr(source, "mirrors", [f"http://127.0.0.1:{server.server_port}/"])
    monkeypatch.setattr(
        source,
        "resources",
        [(name, hashlib.md5(answers[name]).hexdigest()) for name, _ in source.resources],
    )
    yield server
    server.shutdown()
    server.server_close()


def test_downloads_once_into_data(mirror):
    assert is_tiny(lh.load_mnist())
    mirror.answers.clear()
    assert is_tiny(lh.load_mnist())


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_data_is_fetched_again(mirror, fault):
    lh.load_mnist()
    folder = mnist.PROJECT / "data" / "MNIST" / "raw"
    FAULTS[fault][1](folder)
    assert is_tiny(lh.load_mnist())


def test_a_faulty_file_beside_a_whole_one_needs_no_network(tiny, monkeypatch):
    folder = mnist.PROJECT / "data"
    shutil.copytree(tiny, folder)
    images = folder / "train-images-idx3-ubyte"
    (folder / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(images.read_bytes()))
    images.write_bytes(images.read_bytes()[:1000])  # the unpacking was interrupted
    monkeypatch.setattr(mnist, "_download_mnist", lambda folder: pytest.fail("nothing is missing"))
    assert is_tiny(lh.load_mnist())


@pytest.fixture(params=["", "MNIST", "MNIST/raw", "MNIST/raw/t10k-images-idx3-ubyte"])
def forbidden(request, tiny, monkeypatch):
    """(folder, what is in it that this process may not read)."""
    if not hasattr(os, "setresuid"):
        pytest.skip("permissions are other ones here")
    with tempfile.TemporaryDirectory() as place:  # pytest's own folders are private
        Path(place).chmod(0o755)
        folder = Path(place) / "data"
        shutil.copytree(tiny, folder / "MNIST" / "raw")
        path, before = folder / request.param, os.getresuid()
        mode = path.stat().st_mode
        path.chmod(0)
        lh.start("en")  # what it imports may lie where nobody may read
        monkeypatch.setattr(lh.importlib.metadata, "version", lambda name: "0")
        if before[1] == 0:  # root may read everything
            os.setresuid(65534, 65534, 0)
        yield folder, path
        os.setresuid(*before)
        path.chmod(mode)


def test_a_folder_or_file_of_somebody_else(forbidden, monkeypatch):
    """A teacher's data that the students may not read: a sentence, and `start` goes on."""
    folder, path = forbidden
    monkeypatch.setenv("LENET_DATA", str(folder))
    lh.start("en")
    with pytest.raises(PermissionError, match="cannot be read: no permission") as error:
        lh.load_mnist()
    assert f"{path} " in str(error.value)


def test_a_login_page_instead_of_the_data(mirror, capsys):
    mirror.answers.update(dict.fromkeys(mirror.answers, b"<html>Please log in</html>"))
    digits = lh.load_mnist()
    assert digits.source == "scikit-learn"
    assert len(capsys.readouterr().out.splitlines()) == 1


@pytest.mark.parametrize("silent", [True, False])
def test_a_dead_network_takes_seconds(tiny, monkeypatch, capsys, silent):
    """Silent: the connection is taken and nothing ever comes. Else: the port is closed."""
    monkeypatch.setattr(mnist, "NETWORK_SECONDS", 1)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        if not silent:
            server.close()
        monkeypatch.setattr(
            torchvision.datasets.MNIST, "mirrors", [f"http://127.0.0.1:{port}/"] * 2
        )
        monkeypatch.setenv("no_proxy", "*")
        started = time.monotonic()
        digits = lh.load_mnist()
    assert time.monotonic() - started < 30  # not for ever
    assert digits.source == "scikit-learn" and socket.getdefaulttimeout() is None
    said = capsys.readouterr().out
    assert len(said.splitlines()) == 1 and "1,797" in said
    assert "the project's folder data" in said and str(mnist.PROJECT) not in said


def test_scikit_learns_digits(small):
    for part, n in ((small.train, 1437), (small.test, 360)):
        images, labels = part.tensors
        assert (
            images.shape == (n, 1, 28, 28)
            and images.dtype == torch.uint8
            and labels.dtype == torch.int64
        )
        assert (
            not images[..., :4, :].any() and not images[..., -4:].any() and images.max() == 255
        )  # 20x20 inside
        assert torch.bincount(labels).min() > n / 12  # every digit has its share
    pixels = {image.numpy().tobytes() for image in small.train.tensors[0]}
    assert sum(image.numpy().tobytes() in pixels for image in small.test.tensors[0]) == 0


def test_loader_gives_floats_in_order_and_shuffled(small):
    images, labels = small.test.tensors
    batches = list(lh.digit_loader(small.test, 50, shuffle=False))
    assert [len(b[1]) for b in batches] == [50] * 7 + [10]
    assert torch.equal(torch.cat([b[1] for b in batches]), labels)
    assert torch.equal(torch.cat([b[0] for b in batches]), images / 255)
    shuffled = torch.cat([b[1] for b in lh.digit_loader(small.test, 50, shuffle=True)])
    assert not torch.equal(shuffled, labels) and torch.equal(
        shuffled.sort().values, labels.sort().values
    )


def test_start_says_where_data_is(tiny, monkeypatch, capsys):
    monkeypatch.setattr(lh, "device", lh.device)
    monkeypatch.setenv("LENET_DATA", str(tiny))
    lh.start("zh")
    said = capsys.readouterr().out
    assert (
        "数据：MNIST 完整" in said and str(tiny) not in said
    )  # a saved notebook tells of no machine
    assert torch.get_num_threads() == max(1, (os.cpu_count() or 1) - 1)
    monkeypatch.setenv("LENET_DATA", str(tiny / "nothing"))
    lh.start("en")
    assert "unset LENET_DATA" in capsys.readouterr().out
    monkeypatch.delenv("LENET_DATA")
    monkeypatch.setattr(mnist, "PROJECT", tiny / "nothing")
    lh.start("en")
    assert "downloaded at first use" in capsys.readouterr().out
    with pytest.raises(ValueError, match="fr"):
        lh.start("fr")


def test_the_data_folder_goes_away_during_use(tiny):
    digits = lh.load_mnist(tiny)
    shutil.rmtree(tiny)  # the USB stick is pulled out
    assert is_tiny(digits) and len(lh.train(fresh(), digits, epochs=1)) == 1
    with pytest.raises(FileNotFoundError):
        lh.load_mnist(tiny)


def test_the_data_folder_may_be_read_only(tiny):
    for path in [*tiny.iterdir(), tiny]:
        path.chmod(0o500 if path.is_dir() else 0o400)
    assert is_tiny(lh.load_mnist(tiny))
    tiny.chmod(0o700)


@pytest.mark.parametrize("mode", [0o444, 0o644])
def test_files_that_nobody_may_write_are_mapped_and_stay_as_they_are(tiny, mode):
    before = snapshot(tiny)
    for path in tiny.iterdir():
        path.chmod(mode)
    digits = lh.load_mnist(tiny)
    assert is_tiny(digits)
    digits.train.tensors[0].zero_()  # in this process alone
    assert snapshot(tiny) == before and is_tiny(lh.load_mnist(tiny))
    assert lh.load_mnist(tiny).train.tensors[0].any()


def test_a_folder_below_a_closed_one(tiny, monkeypatch):
    def closed(self):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(mnist.Path, "is_dir", closed)
    with pytest.raises(PermissionError, match="mnist cannot be read: no permission"):
        lh.load_mnist(tiny)
