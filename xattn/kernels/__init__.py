"""Compiled functions over arrays, all in one form. Kernels trust their arguments: they check nothing and raise nothing.

A kernel takes its outputs first, then its inputs, then its settings. Its name says what it does to the outputs:

    _X, _X_forward    assigns them: what they held before does not matter
    _X_backward       adds to them: the caller has cleared them, or collects several gradients in them
    _add_X            adds to them: sums that grow over heads, users or batches
    _step_X           changes them in place: parameters and the state of their optimiser

A forward kernel and its backward kernels stand next to each other, and their steps carry the same numbers. Functions
without an underscore are what the rest of the package calls. Those that return arrays make them; `X` and `X_backward`
are a pair, and `X_backward` takes the gradients of the results first, then what `X` gave, then what `X` took.
"""

from xattn.errors import check_environment

check_environment()  # before Numba is imported, which would answer a wrong number of threads with a traceback
