"""The lesson's pictures, drawn by matplotlib.

images   colours, and numbers, tables and maps as images
figures  the lesson's figures
diagram  a network as a diagram
patches  what each map of a layer looks for
explain  why a cell of a feature map has its value
"""
