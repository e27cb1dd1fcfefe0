"""load_mnist: where it looks, what it refuses, what it does without a network. Small files stand in for MNIST."""

import errno
import gzip
import hashlib
import http.server
import os
import random
import shutil
import socket
import struct
import tempfile
import threading
from pathlib import Path

import pytest
import torch
import torchvision

import lenet_helpers as lh
from notebooks.support import files
from notebooks.support.data import mnist, mnist_files

LABELS = {"train": list(range(10)) * 3, "t10k": list(range(10))}


def idx_files():
    """The four files of a tiny MNIST, in the IDX format."""
    files = {}
    for part, labels in LABELS.items():
        pixels = random.Random(part).randbytes(len(labels) * 784)
        files[f"{part}-images-idx3-ubyte"] = struct.pack(">4i", 2051, len(labels), 28, 28) + pixels
        files[f"{part}-labels-idx1-ubyte"] = struct.pack(">2i", 2049, len(labels)) + bytes(labels)
    return files


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """A folder with a tiny MNIST that load_mnist takes for the real one; the project's own data/ is empty."""
    contents = idx_files()
    tiny = {name: (len(each), hashlib.md5(each).hexdigest()) for name, each in contents.items()}
    for module in (mnist, mnist_files):
        monkeypatch.setattr(module, "MNIST_FILES", {name: tiny[name] for name in mnist.MNIST_FILES})
    for module in (mnist, files):
        monkeypatch.setattr(module, "PROJECT", tmp_path / "project")
    folder = tmp_path / "mnist"
    folder.mkdir()
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return folder


def is_tiny(digits):
    labels = [digits.train.tensors[1].tolist(), digits.test.tensors[1].tolist()]
    return digits.source == "MNIST" and labels == list(LABELS.values())


LAYOUTS = {
    "as they are": "{name}",
    "torchvision's": "MNIST/raw/{name}",
    "the folder copied": "raw/{name}",
    "unpacked twice": "MNIST/raw/raw/{name}",
    "an archive's": "archive/{dotted}",
    "a folder per file, as macOS unpacks": "{name}/{dotted}",
    "downloaded twice": "MNIST/{name}(1)",
    "renamed": "Download {number}",
    "upper case": "{upper}",
}


@pytest.mark.parametrize("packed", [False, True])
def test_files_are_known_by_content(tiny, tmp_path, packed):
    """Plain or packed, with .gz in the name or without, wherever people have them."""
    for layout, (what, place) in enumerate(LAYOUTS.items()):
        folder = tmp_path / str(layout)
        for number, path in enumerate(sorted(tiny.iterdir())):
            names = {"dotted": path.name.replace("-idx", ".idx"), "upper": path.name.upper()}
            copy = folder / place.format(name=path.name, number=number, **names)
            copy.parent.mkdir(parents=True, exist_ok=True)
            content = path.read_bytes()
            copy.write_bytes(gzip.compress(content) if packed else content)
            if number % 2:
                copy.rename(f"{copy}.gz")  # some browsers keep the name of what they unpacked
        assert mnist_files.missing_files(folder) == [], what
        assert is_tiny(lh.load_mnist(folder)), what
    images, labels = lh.load_mnist(tiny).train.tensors
    assert images.shape == (30, 1, 28, 28)
    assert images.dtype == torch.uint8 and labels.dtype == torch.int64
    expected = torchvision.datasets.mnist.read_image_file(str(tiny / "train-images-idx3-ubyte"))
    assert torch.equal(images[:, 0], expected)


def test_order_of_search(tiny, tmp_path, monkeypatch):
    """As people type paths; $LENET_DATA counts from the project's folder, wherever the kernel runs."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    for typed in (str(tiny), "../mnist", f' "{tiny}" ', "'~/mnist'", "~/mnist/../mnist"):
        monkeypatch.setenv("LENET_DATA", typed)
        assert is_tiny(lh.load_mnist())
    monkeypatch.chdir(tmp_path)
    for typed in ("mnist", tiny, " mnist\n", "“~/mnist”"):
        assert is_tiny(lh.load_mnist(typed))
    for wrong in ("no-such", tiny / "train-labels-idx1-ubyte"):  # never passed over
        with pytest.raises(FileNotFoundError, match="no data folder"):
            lh.load_mnist(wrong)
    monkeypatch.setenv("LENET_DATA", ' "" ')  # names nothing
    (tmp_path / "project").mkdir()
    tiny.rename(tmp_path / "project" / "data")
    assert is_tiny(lh.load_mnist())


def write(name, change, packed=False):
    """A fault: the file `name` becomes what `change` makes of its content (None: it goes)."""

    def spoil(folder):
        content = change((folder / name).read_bytes())
        (folder / name).unlink()
        if content is not None:
            (folder / (name + ".gz" * packed)).write_bytes(content)

    return name, spoil


def flipped(content, place):
    return content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :]


PAGE = b"\n<!DOCTYPE html><html>Please log in</html>"
IMAGES, LABELS_FILE = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
FAULTS = {
    "lacks": write(LABELS_FILE, lambda c: None),
    "only 22,536 bytes unpacked where 23,536": write(IMAGES, lambda c: c[:-1000]),
    "a web page": write("t10k-images-idx3-ubyte", lambda c: PAGE, packed=True),
    "is a web page": write("t10k-images-idx3-ubyte", lambda c: gzip.compress(PAGE), packed=True),
    "only 18 bytes": write(LABELS_FILE, lambda c: c[:4] + b"\0\0\0\x0a" + bytes(range(10))),
    "only 0 bytes": write(LABELS_FILE, lambda c: b""),
    "damaged, or of another data set": write(IMAGES, lambda c: flipped(c, 5000)),
    "Fashion-MNIST": write("t10k-images-idx3-ubyte", lambda c: c[:16] + bytes(7840)),
    "another data set": write("t10k-images-idx3-ubyte", lambda c: c + b"more"),
    "damaged": write(LABELS_FILE, lambda c: flipped(gzip.compress(c), 12), packed=True),
    "bytes unpacked": write(IMAGES, lambda c: gzip.compress(c)[:-900], packed=True),
    "if it is a .zip": write(LABELS_FILE, lambda c: b"PK\3\4" + c[:20]),
}


def snapshot(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_named_folder_with_a_fault(tiny, tmp_path):
    for number, (words, (name, spoil)) in enumerate(FAULTS.items()):
        folder = tmp_path / str(number)
        shutil.copytree(tiny, folder)
        spoil(folder)
        before = snapshot(folder)
        with pytest.raises((ValueError, FileNotFoundError), match=words) as error:
            lh.load_mnist(folder)
        assert name in str(error.value) and len(str(error.value).splitlines()) == 2
        assert snapshot(folder) == before


def test_a_drive_that_does_not_answer(tiny, monkeypatch, capsys):
    """Clouds, networks, sticks: the file is named, and nobody says that it was not downloaded."""
    read = Path.read_bytes

    def read_bytes(path):
        if path.name == IMAGES:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return read(path)

    shutil.copytree(tiny, mnist.PROJECT / "data")
    monkeypatch.setattr(Path, "read_bytes", read_bytes)
    monkeypatch.setattr(mnist, "_fetch", lambda url, name: 1 / 0)
    words = f"{IMAGES} cannot be read ({os.strerror(errno.EIO)})"
    with pytest.raises(OSError) as error:
        lh.load_mnist(tiny)
    assert f"{tiny / words}." in str(error.value) and len(str(error.value).splitlines()) == 2
    assert lh.load_mnist().source == "scikit-learn"
    said = capsys.readouterr().out
    assert f"the project's folder data/{words}" in said and len(said.splitlines()) == 1
    assert "downloaded" not in said and str(mnist.PROJECT) not in said


@pytest.fixture
def mirror(tiny, monkeypatch):
    """A server on this machine in place of MNIST's mirrors, the first of which has nothing;
    `mirror.answers` maps file names to contents, `mirror.broken` breaks off half-way."""
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
            self.wfile.write(content[: len(content) // 2] if self.server.broken else content)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.answers, server.broken = answers, False
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    url = f"http://127.0.0.1:{server.server_port}/"
    monkeypatch.setattr(torchvision.datasets.MNIST, "mirrors", [url + "gone/", url])
    yield server
    server.shutdown()
    server.server_close()


def test_downloads_once_into_data(mirror):
    assert is_tiny(lh.load_mnist())
    mirror.answers.clear()
    assert is_tiny(lh.load_mnist())


def test_a_fault_in_data_is_fetched_again(mirror):
    lh.load_mnist()
    for _, spoil in FAULTS.values():
        spoil(mnist.PROJECT / "data" / "MNIST" / "raw")
        assert is_tiny(lh.load_mnist())


def test_a_faulty_file_beside_a_whole_one_needs_no_network(tiny, monkeypatch):
    folder = mnist.PROJECT / "data"
    shutil.copytree(tiny, folder)
    images = folder / "train-images-idx3-ubyte"
    (folder / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(images.read_bytes()))
    images.write_bytes(images.read_bytes()[:1000])  # the unpacking was interrupted
    monkeypatch.setattr(mnist, "_download", lambda folder: pytest.fail("nothing is missing"))
    assert is_tiny(lh.load_mnist())


@pytest.fixture(params=["..", "", "MNIST", "MNIST/raw", "MNIST/raw/t10k-images-idx3-ubyte"])
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
    with pytest.raises(OSError, match=r"cannot be read \(Permission denied\)") as error:
        lh.load_mnist()
    assert str(folder if path.name == ".." else path) in str(error.value)
    assert not isinstance(error.value, FileNotFoundError)


def test_a_network_that_gives_something_else(mirror, capsys):
    """An answer that breaks off; a login page in place of the data: nothing of it is kept."""
    mirror.broken = True
    assert lh.load_mnist().source == "scikit-learn"
    mirror.broken = False
    mirror.answers.update(dict.fromkeys(mirror.answers, PAGE))
    assert lh.load_mnist().source == "scikit-learn"
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 2 and all("MNIST could not be downloaded (" in line for line in said)
    assert "is a web page" in said[1] and not (mnist.PROJECT / "data").exists()


@pytest.mark.parametrize("dead", ["silent", "closed", "no name"])
def test_a_dead_network_falls_back(tiny, monkeypatch, capsys, dead):
    """The connection is taken and nothing ever comes; the port is closed; looking up never ends."""
    monkeypatch.setattr(mnist, "NETWORK_SECONDS", 0.3)
    monkeypatch.setenv("no_proxy", "*")
    over = threading.Event()
    if dead == "no name":
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_: over.wait(60))
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        monkeypatch.setattr(torchvision.datasets.MNIST, "mirrors", [url] * 2)
        if dead == "closed":
            server.close()
        assert lh.load_mnist().source == "scikit-learn"
    assert not over.is_set()
    over.set()
    said = capsys.readouterr().out
    assert len(said.splitlines()) == 1 and "1,797" in said
    assert "the project's folder data" in said and str(mnist.PROJECT) not in said


def test_scikit_learns_digits(small):
    for part, n in ((small.train, 1437), (small.test, 360)):
        images, labels = part.tensors
        assert images.shape == (n, 1, 28, 28) and images.max() == 255
        assert images.dtype == torch.uint8 and labels.dtype == torch.int64
        assert not images[..., :4, :].any() and not images[..., -4:].any()  # 20x20 inside
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
    assert not torch.equal(shuffled, labels)
    assert torch.equal(shuffled.sort().values, labels.sort().values)


def test_start_says_where_data_is(tiny, monkeypatch, capsys):
    monkeypatch.setattr(lh, "device", lh.device)
    monkeypatch.setenv("LENET_DATA", str(tiny))
    lh.start("zh")
    said = capsys.readouterr().out
    assert "数据：MNIST 完整" in said
    assert str(tiny) not in said  # a saved notebook tells of no machine
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
