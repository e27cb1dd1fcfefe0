"""What notebook 02 asks for in code: the output's size by the formula."""

import itertools

from ...sizes import ConvGeometry
from ..function import FunctionQuestion
from ..number import SIZE_MISTAKES


def my_output_size(n_in, kernel_size, stride, padding):
    return ConvGeometry(n_in, kernel_size, stride, padding).n_out


QUESTIONS = {
    "my_output_size": FunctionQuestion(
        my_output_size,
        {
            key: lambda *case, mistake=mistake: mistake(ConvGeometry(*case))
            for key, mistake in SIZE_MISTAKES.items()
        },
        ((6, 3, 1, 0), *itertools.product(range(7, 13), range(1, 8), range(1, 5), range(4))),
    ),
}
