"""Do the tests see a fault? Small faults are planted in sampled lines, and each meets the tests that run its line.

operators.py   what a fault is: one change of a syntax tree
nearest.py     which tests run a line, and how long each takes
uses.py        which lines depend on one that runs on import
trial.py       one fault, in a process of its own that imports the changed module
survivors.py   the reasons of those that no test sees, in survivors.toml
__main__.py    the sample, the results on disk, and the report: ``make mutants``
"""
