"""The exercises that need more than a number.

nb04_train_lenet5           the one that asks for a step of training
nb06_next_lesson            the one that asks for a small network
nb01_padding_stride_kernel  a picture of strokes, and what a kernel marks in it
nb05_break_it               notebook 05's five trainings with a fault each
"""
