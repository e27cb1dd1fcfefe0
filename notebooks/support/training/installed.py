"""What is installed: the packages that the lesson needs, and their parts for JupyterLab's page."""

import importlib.metadata
import json
import re
from pathlib import Path

from jupyter_core.paths import jupyter_path
from packaging.requirements import Requirement
from packaging.version import Version

from ..files import PROJECT
from ..words.texts import text

PAGE = {  # package: the folder of its part for the page
    "anywidget": "anywidget",
    "jupyterlab_widgets": "@jupyter-widgets/jupyterlab-manager",
}


def check_packages() -> str:
    """A sentence on the packages of requirements.txt. Raises ValueError, naming the package, for
    one that is missing or too old."""
    lines = (PROJECT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    wanted = [Requirement(line.split("#")[0]) for line in lines if re.match(r"\w", line)]
    wanted = [each for each in wanted if each.marker is None or each.marker.evaluate()]
    for requirement in wanted:
        _check(requirement)
    n = len({requirement.name for requirement in wanted})
    return text("ready_versions", n=n, torch=importlib.metadata.version("torch"))


def _check(requirement):
    try:
        found = importlib.metadata.version(requirement.name)
    except importlib.metadata.PackageNotFoundError:
        found = None
    if found is None or not requirement.specifier.contains(found, prereleases=True):
        words = text("ready_found", version=found) if found else text("ready_missing")
        values = {"name": requirement.name, "least": requirement.specifier, "found": words}
        raise ValueError(text("ready_version", **values))


def check_page() -> str:
    """A sentence on the widgets' parts for the page. Raises ValueError, naming the package, where
    JupyterLab has none, one of another version, or one that ipywidgets does not go with."""
    for requirement in map(Requirement, importlib.metadata.requires("ipywidgets") or []):
        if requirement.name.replace("-", "_") == "jupyterlab_widgets":
            _check(requirement)
    for name, folder in PAGE.items():
        files = [Path(path) / folder / "package.json" for path in jupyter_path("labextensions")]
        page = next((file for file in files if file.is_file()), None)
        if page is None:
            raise ValueError(text("ready_no_page", name=name))
        found = json.loads(page.read_text(encoding="utf-8"))["version"]
        wanted = importlib.metadata.version(name)
        # jupyterlab_widgets numbers its parts for Python and for the page apart
        if name == "anywidget" and Version(found) != Version(wanted):
            raise ValueError(text("ready_page_version", name=name, found=found, wanted=wanted))
    return text("ready_page", version=importlib.metadata.version("anywidget"))
