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
import threading
from functools import partial
from pathlib import Path

import pytest
import torch
import torchvision

import lenet_helpers as lh
from notebooks.support import files
from notebooks.support.data import mnist, mnist_files

LABELS = {"train": list(range(10)) * 3, "t10k": list(range(10))}


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """A folder with a tiny MNIST that load_mnist takes for the real one; the project's own data/ is empty."""
    for module in (mnist, files):
        monkeypatch.setattr(module, "PROJECT", tmp_path / "project")
    folder = tmp_path / "mnist"
    folder.mkdir()
    for part, labels in LABELS.items():
        n, pixels = len(labels), random.Random(part).randbytes(len(labels) * 784)
        contents = {  # in the IDX format
            f"{part}-images-idx3-ubyte": struct.pack(">4i", 2051, n, 28, 28) + pixels,
            f"{part}-labels-idx1-ubyte": struct.pack(">2i", 2049, n) + bytes(labels),
        }
        for name, content in contents.items():
            (folder / name).write_bytes(content)
            known = len(content), hashlib.md5(content).hexdigest()
            monkeypatch.setitem(mnist_files.MNIST_FILES, name, known)
    return folder


def is_tiny(digits):
    labels = [digits.train.tensors[1].tolist(), digits.test.tensors[1].tolist()]
    return digits.source == "MNIST" and labels == list(LABELS.values())


LAYOUTS = {
    "unpacked twice": "MNIST/raw/raw/{name}",
    "a folder per file, as macOS unpacks": "{name}/{name}",
    "renamed": "Download {number}",
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("packed", [False, True])
def test_files_are_known_by_content(tiny, tmp_path, layout, packed):
    """Plain or packed, with .gz in the name or without, wherever people have them."""
    for number, path in enumerate(sorted(tiny.iterdir())):
        copy = tmp_path / "copy" / LAYOUTS[layout].format(name=path.name, number=number)
        if number % 2:
            copy = Path(f"{copy}.gz")  # some browsers keep the name of what they unpacked
        copy.parent.mkdir(parents=True, exist_ok=True)
        content = path.read_bytes()
        copy.write_bytes(gzip.compress(content) if packed else content)
    assert mnist_files.missing_files(tmp_path / "copy") == []
    digits = lh.load_mnist(tmp_path / "copy")
    images, labels = digits.train.tensors
    assert is_tiny(digits) and images.shape == (30, 1, 28, 28)
    assert images.dtype == torch.uint8 and labels.dtype == torch.int64
    expected = torchvision.datasets.mnist.read_image_file(str(tiny / "train-images-idx3-ubyte"))
    assert torch.equal(images[:, 0], expected)


def test_order_of_search(tiny, tmp_path, monkeypatch):
    """As people type paths; $LENET_DATA counts from the project's folder, wherever the kernel runs."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    for typed in ("../mnist", f' "{tiny}" ', "'~/mnist/../mnist'"):
        monkeypatch.setenv("LENET_DATA", typed)
        assert is_tiny(lh.load_mnist())
    monkeypatch.chdir(tmp_path)
    for typed in (tiny, " mnist\n", "“~/mnist”"):
        assert is_tiny(lh.load_mnist(typed))
    for wrong in ("no-such", tiny / "train-labels-idx1-ubyte"):  # never passed over
        with pytest.raises(FileNotFoundError, match="no data folder"):
            lh.load_mnist(wrong)
    monkeypatch.setenv("LENET_DATA", ' "" ')  # names nothing
    (tmp_path / "project").mkdir()
    tiny.rename(tmp_path / "project" / "data")
    assert is_tiny(lh.load_mnist())


PAGE = b"\n<!DOCTYPE html><html>Please log in</html>"
IMAGES, LABELS_FILE = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
FAULTS = {  # what is said: of which file, its ending, what became of its content (None: it goes)
    "lacks": (LABELS_FILE, "", lambda content: None),
    "only 22,536 bytes unpacked where 23,536": (IMAGES, "", lambda content: content[:-1000]),
    "is a web page": (IMAGES, ".gz", lambda content: gzip.compress(PAGE)),
    "of another data set": (IMAGES, "", lambda content: content[:16] + bytes(23_520)),
    "damaged": (LABELS_FILE, ".gz", lambda content: b"\x1f\x8b\x08" + content),
    "bytes unpacked": (IMAGES, ".gz", lambda content: gzip.compress(content)[:-900]),
    "only 0 bytes": (LABELS_FILE, "", lambda content: b""),
    "if it is a .zip": (LABELS_FILE, "", lambda content: b"PK\3\4" + content[:20]),
}


def spoil(folder, name, ending, change):
    content = change((folder / name).read_bytes())
    (folder / name).unlink()
    if content is not None:
        (folder / f"{name}{ending}").write_bytes(content)


@pytest.mark.parametrize("words", FAULTS)
def test_a_named_folder_with_a_fault(tiny, words):
    spoil(tiny, *FAULTS[words])
    before = {path: path.read_bytes() for path in tiny.iterdir()}
    with pytest.raises((ValueError, FileNotFoundError), match=words) as error:
        lh.load_mnist(tiny)
    assert FAULTS[words][0] in str(error.value) and len(str(error.value).splitlines()) == 2
    assert {path: path.read_bytes() for path in tiny.iterdir()} == before


@pytest.fixture
def mirror(tiny, monkeypatch):
    """The folder of a server on this machine in place of MNIST's mirrors; the first has nothing."""
    folder = tiny.with_name("mirror")
    folder.mkdir()
    for path in tiny.iterdir():
        (folder / f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("no_proxy", "*")
        url = f"http://127.0.0.1:{server.server_port}/"
        monkeypatch.setattr(torchvision.datasets.MNIST, "mirrors", [url + "gone/", url])
        yield folder
        server.shutdown()


def test_downloads_once_into_data_and_what_is_spoilt_there_again(mirror):
    assert is_tiny(lh.load_mnist())
    for fault in FAULTS.values():
        spoil(mnist.PROJECT / "data" / "MNIST" / "raw", *fault)
        assert is_tiny(lh.load_mnist())
    shutil.rmtree(mirror)
    assert is_tiny(lh.load_mnist())


def test_a_faulty_file_beside_a_whole_one_needs_no_network(tiny, monkeypatch):
    folder = shutil.copytree(tiny, mnist.PROJECT / "data")
    content = (folder / IMAGES).read_bytes()
    (folder / f"{IMAGES}.gz").write_bytes(gzip.compress(content))
    (folder / IMAGES).write_bytes(content[:1000])  # the unpacking was interrupted
    monkeypatch.setattr(torchvision.datasets.MNIST, "mirrors", [])
    assert is_tiny(lh.load_mnist())


@pytest.mark.parametrize("place, opens, closed", [(os, "scandir", "raw"), (Path, "open", IMAGES)])
def test_a_folder_or_file_of_somebody_else(tiny, monkeypatch, place, opens, closed):
    """A teacher's data that the students may not read: a sentence, and `start` goes on."""
    folder, function = tiny.with_name("data"), getattr(place, opens)
    shutil.copytree(tiny, folder / "raw")

    def unless_closed(path, *args, **kwargs):
        if Path(path).name == closed:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return function(path, *args, **kwargs)

    monkeypatch.setattr(place, opens, unless_closed)
    monkeypatch.setenv("LENET_DATA", str(folder))
    lh.start("en")
    with pytest.raises(OSError, match=f"{closed} cannot be read .Permission denied") as error:
        lh.load_mnist()
    assert not isinstance(error.value, FileNotFoundError)


def test_a_network_that_gives_something_else(mirror, capsys):
    """An answer that breaks off; a login page in place of the data: nothing of it is kept."""
    for change in (lambda content: content[:-900], lambda content: PAGE):
        for path in mirror.iterdir():
            path.write_bytes(change(path.read_bytes()))
        assert lh.load_mnist().source == "scikit-learn"
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 2 and all("MNIST could not be downloaded (" in line for line in said)
    assert "is a web page" in said[1] and not (mnist.PROJECT / "data").exists()


@pytest.mark.parametrize("dead", ["silent", "no name"])
def test_a_dead_network_falls_back(tiny, monkeypatch, capsys, dead):
    """The connection is taken and nothing ever comes; looking up a name never ends."""
    monkeypatch.setattr(mnist, "NETWORK_SECONDS", 0.3)
    monkeypatch.setenv("no_proxy", "*")
    over = threading.Event()
    if dead == "no name":
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_: over.wait(60))
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        monkeypatch.setattr(torchvision.datasets.MNIST, "mirrors", [url] * 2)
        assert lh.load_mnist().source == "scikit-learn"
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


def test_a_loader_gives_every_picture_once(small):
    labels = small.test.tensors[1]
    batches = [batch[1] for batch in lh.digit_loader(small.test, 50, shuffle=True)]
    assert [len(batch) for batch in batches] == [50] * 7 + [10]
    shuffled = torch.cat(batches)
    assert not torch.equal(shuffled, labels)
    assert torch.equal(shuffled.sort().values, labels.sort().values)


def test_start_says_where_data_is(tiny, monkeypatch, capsys):
    monkeypatch.setattr(lh, "device", lh.device)
    monkeypatch.setattr(mnist, "PROJECT", tiny / "nothing")
    data = {tiny: "MNIST is complete", tiny / "nothing": "unset LENET_DATA"}
    for named, words in (data | {"": "downloaded at first use"}).items():
        monkeypatch.setenv("LENET_DATA", str(named))
        lh.start("en")
        said = capsys.readouterr().out
        assert words in said and (named != tiny or str(tiny) not in said)  # no machine's path
    assert torch.get_num_threads() == max(1, (os.cpu_count() or 1) - 1)
    with pytest.raises(ValueError, match="fr"):
        lh.start("fr")
