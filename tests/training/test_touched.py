"""What a cell does to the model that is in training, in a real kernel: the run ends as an undisturbed one does."""

import pytest
from jupyter_client.manager import start_new_kernel
from lab import PROJECT

SETUP = """
import time, torch
from pathlib import Path
from tempfile import mkdtemp
from torch.nn import functional as F
from torch.utils.data import TensorDataset
import lenet_helpers as lh

digits = lh.sklearn_digits()
few = digits._replace(train=TensorDataset(*(part[:320] for part in digits.train.tensors)),
                      test=TensorDataset(*(part[:40] for part in digits.test.tensors)))
tiny = few._replace(train=TensorDataset(*(part[:64] for part in digits.train.tensors)))
x, y = digits.train.tensors[0][:64].float() / 255, digits.train.tensors[1][:64]
loader = lh.digit_loader(tiny.train, 16, shuffle=True)
folder = Path(mkdtemp())

def start(name):
    torch.manual_seed(0)
    model = lh.LeNet5()
    return model, lh.train_in_background(model, few, 8, max_lr=0.02, save=folder / name)

torch.manual_seed(1)
lh.save_weights(lh.LeNet5(), folder / "other")
model, run = start("undisturbed")
history = [result[:3] for result in run.wait()]
assert history[-1][2] > 0.5
"""
DEED = """
model, run = start("touched")
optimizer = torch.optim.SGD(model.parameters(), 0.05, momentum=0.9)
times = 0
while run.running or times < 5:
{}
    time.sleep(0.002)  # a student reads what came out
    if run.running:
        times += 1
    assert run.running or times >= 5, f"the run ended after {{times}} times"
assert [result[:3] for result in run.wait()] == history
assert (folder / "touched").read_bytes() == (folder / "undisturbed").read_bytes()
"""
DEEDS = {
    "practice on it": "lh.train_epoch(model, loader, optimizer)",
    "train it": "lh.train(model, tiny, epochs=1)",
    "two backwards": """
loss = F.cross_entropy(model(x), y)
loss.backward()
try:
    loss.backward()
except RuntimeError:
    pass
""",
    "clear gradients": "for _ in range(50): model.zero_grad()",
    "load weights": "lh.load_weights(model, folder / 'other')",
    "start again": "for layer in (model.c1, model.c3, model.fc1, model.fc2, model.fc3): layer.reset_parameters()",
}


@pytest.fixture(scope="module")
def run_cell():
    """Runs a cell in a kernel of its own; fails for an error, and if the kernel dies."""
    manager, client = start_new_kernel(cwd=str(PROJECT))

    def run_cell(code):
        reply = client.execute_interactive(code, output_hook=lambda message: None, timeout=300)
        assert reply["content"]["status"] == "ok", "\n".join(reply["content"]["traceback"][-3:])

    run_cell(SETUP)
    yield run_cell
    client.stop_channels()
    manager.shutdown_kernel(now=True)


@pytest.mark.parametrize("deed", DEEDS)
def test_a_run_is_not_disturbed(run_cell, deed):
    run_cell(DEED.format("\n".join("    " + line for line in DEEDS[deed].splitlines())))
