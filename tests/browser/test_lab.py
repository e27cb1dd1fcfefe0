"""How the lesson opens in JupyterLab."""

import os
import re
import subprocess
import sys

import pytest
from lab import PROJECT


@pytest.mark.ci
@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_readme_opens_the_lesson_at_the_projects_root(language, tmp_path):
    """JupyterLab serves nothing above its root, which a file on the command line would otherwise set to its folder."""
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    arguments = re.search(rf"-m jupyterlab (.*notebooks/{language}/\S+)", readme).group(1).split()
    command = [sys.executable, "-m", "jupyterlab", *arguments]
    command += ["--no-browser", "--port=0", "--allow-root"]
    env = {**os.environ, "JUPYTER_RUNTIME_DIR": str(tmp_path)}
    server = subprocess.Popen(
        command, cwd=PROJECT, env=env, stderr=subprocess.PIPE, encoding="utf-8"
    )
    served = (line for line in server.stderr if "Serving notebooks from" in line)
    try:
        assert next(served, "").strip().endswith(f"directory: {PROJECT}")
    finally:
        server.terminate()
        server.communicate(timeout=20)
