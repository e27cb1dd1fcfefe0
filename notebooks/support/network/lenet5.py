"""What LeNet-5's layers are called in code and in pictures, in order, and how its maps stand."""

TITLES = {"input": "input", "c1": "C1", "s2": "S2", "c3": "C3", "s4": "S4"}
TITLES |= {"fc1": "F5 (fc1)", "fc2": "F6 (fc2)", "fc3": "output"}
LAYERS = [*TITLES][1:]
MAPS_IN_A_ROW = {"input": 1, "c1": 6, "s2": 6, "c3": 8, "s4": 8}
ACTIVATED = "c1", "c3", "fc1", "fc2"  # what these layers make passes through ReLU
