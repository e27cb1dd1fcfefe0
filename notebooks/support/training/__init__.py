"""A training: what was asked for, the check before class, the command line.

run        a training in the background, which its panel shows
plan       what a training was asked for, checked before it begins
installed  the packages that are installed, and their parts for the page
command    the command line: options, and Ctrl-C
"""
