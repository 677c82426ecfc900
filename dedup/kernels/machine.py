"""Instructions of the processor that Python has no word for."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.errors import TypingError
from numba.extending import intrinsic

# Asked for untyped: its types are unknown to checkers.
_function: Any = cgutils.get_or_insert_function
_POINTER = ir.IntType(8).as_pointer()


@intrinsic
def ones(_typing: Any, x: Any) -> Any:
    """How many bits of an integer are set (int64): one instruction on all present processors."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        count = builder.ctpop(arguments[0])
        return context.cast(builder, count, x, types.int64)

    return types.int64(x), generate


@intrinsic
def fetch(_typing: Any, array: Any, row: Any) -> Any:
    """Have row ``row`` of an array brought near the processor, while it does other work.

    Nothing is read: a row that does not exist does no harm.
    """

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        view = context.make_array(array)(context, builder, arguments[0])
        number = context.cast(builder, arguments[1], row, types.intp)
        step = builder.extract_value(view.strides, 0)
        byte = builder.bitcast(view.data, _POINTER)
        place = builder.gep(byte, [builder.mul(number, step)])
        flag = ir.IntType(32)
        prefetch = _function(
            builder.module,
            ir.FunctionType(ir.VoidType(), [_POINTER, flag, flag, flag]),
            "llvm.prefetch.p0i8",
        )
        builder.call(prefetch, [place, flag(0), flag(3), flag(1)])  # to read, often, data
        return context.get_dummy_value()

    return types.void(array, row), generate


@intrinsic
def eight_bytes(_typing: Any, array: Any, byte: Any) -> Any:
    """Eight bytes of a uint8 array from ``byte`` on as a number (uint64; the first one is lowest on
    the processors that numba knows), wherever they lie. The array has them."""
    if array.dtype != types.uint8 or array.layout != "C":
        raise TypingError("eight_bytes takes bytes that lie side by side")

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        view = context.make_array(array)(context, builder, arguments[0])
        number = context.cast(builder, arguments[1], byte, types.intp)
        place = builder.gep(view.data, [number])
        wide = builder.bitcast(place, ir.IntType(64).as_pointer())
        return builder.load(wide, align=1)

    return types.uint64(array, byte), generate
