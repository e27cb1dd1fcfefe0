"""The exercises that need more than a number.

train_step  the one that asks for a step of training
small_net   the one that asks for a small network
strokes     a picture of strokes, and what a kernel marks in it
mystery     notebook 05's five trainings with a fault each
"""
