"""The parts of the schema of TFLite that are written: numbers of operators, of types, and of the fields of options."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["ELEMENT_TYPES", "IDENTIFIER", "OPERATORS", "RELU", "RELU6", "SAME", "VALID", "VERSIONS", "options_of"]

IDENTIFIER = b"TFL3"
SAME, VALID = np.int8(0), np.int8(1)
RELU, RELU6 = np.int8(1), np.int8(3)  # activations that are part of an operator

ELEMENT_TYPES = {
    "float32": 0, "float16": 1, "int32": 2, "uint8": 3, "int64": 4, "bool": 6, "int16": 7, "int8": 9, "float64": 10,
    "uint64": 12, "uint32": 15, "uint16": 16,
}  # fmt: skip

_CONV = {"padding": 0, "stride_w": 1, "stride_h": 2, "activation": 3, "dilation_w": 4, "dilation_h": 5}
_POOL = {"padding": 0, "stride_w": 1, "stride_h": 2, "filter_w": 3, "filter_h": 4, "activation": 5}
_REDUCE = {"keep_dims": 0}
_ACTIVATED = {"activation": 0}

OPERATORS: dict[str, tuple[int, int, dict[str, int]]] = {  # number, number of its options (0: none), their slots
    "ADD": (0, 11, _ACTIVATED), "SUB": (41, 28, _ACTIVATED), "MUL": (18, 21, _ACTIVATED), "DIV": (42, 29, _ACTIVATED),
    "MAXIMUM": (55, 39, {}), "MINIMUM": (57, 39, {}), "POW": (78, 56, {}), "FLOOR_MOD": (95, 72, {}),
    "FLOOR_DIV": (90, 65, {}), "EQUAL": (71, 53, {}), "NOT_EQUAL": (72, 54, {}), "LESS": (58, 41, {}),
    "LESS_EQUAL": (63, 46, {}), "GREATER": (61, 44, {}), "GREATER_EQUAL": (62, 45, {}), "LOGICAL_AND": (86, 62, {}),
    "LOGICAL_OR": (84, 60, {}), "LOGICAL_NOT": (87, 63, {}), "BITWISE_XOR": (160, 0, {}), "RIGHT_SHIFT": (161, 0, {}),
    "BITCAST": (159, 0, {}),
    "NEG": (59, 42, {}), "EXP": (47, 33, {}), "LOG": (73, 0, {}), "TANH": (28, 0, {}), "LOGISTIC": (14, 0, {}),
    "SQRT": (75, 0, {}), "RSQRT": (76, 0, {}), "ABS": (101, 78, {}), "SIGN": (158, 0, {}), "FLOOR": (8, 0, {}),
    "CEIL": (104, 0, {}), "ROUND": (116, 0, {}), "SIN": (66, 0, {}), "COS": (108, 0, {}), "ATAN2": (156, 0, {}),
    "RELU": (19, 0, {}), "RELU6": (21, 0, {}), "SELECT_V2": (123, 98, {}),
    "CAST": (53, 37, {"source": 0, "target": 1}),
    "SOFTMAX": (25, 9, {"beta": 0}), "GELU": (150, 116, {"approximate": 0}),
    "RESHAPE": (22, 0, {}), "TRANSPOSE": (39, 26, {}), "SLICE": (65, 48, {}), "PADV2": (60, 43, {}),
    "PAD": (34, 22, {}),
    "STRIDED_SLICE": (45, 32, {"begin_mask": 0, "end_mask": 1, "shrink_axis_mask": 4}), "REVERSE_V2": (105, 81, {}),
    "CONCATENATION": (2, 10, {"axis": 0, "activation": 1}), "SHAPE": (77, 55, {"out_type": 0}),
    "GATHER": (36, 23, {"axis": 0, "batch_dims": 1}), "SCATTER_ND": (122, 0, {}), "RANGE": (96, 73, {}),
    "BROADCAST_TO": (130, 0, {}), "TILE": (69, 51, {}), "TOPK_V2": (48, 34, {}), "ARG_MAX": (56, 40, {"out_type": 0}),
    "ARG_MIN": (79, 57, {"out_type": 0}), "CUMSUM": (128, 102, {"exclusive": 0, "reverse": 1}),
    "SUM": (74, 27, _REDUCE), "MEAN": (40, 27, _REDUCE), "REDUCE_MAX": (82, 27, _REDUCE),
    "REDUCE_MIN": (89, 27, _REDUCE), "REDUCE_PROD": (81, 27, _REDUCE), "REDUCE_ANY": (91, 27, _REDUCE),
    "REDUCE_ALL": (140, 27, _REDUCE), "DYNAMIC_UPDATE_SLICE": (151, 0, {}), "WHILE": (119, 93, {"cond": 0, "body": 1}),
    "FULLY_CONNECTED": (9, 8, {"activation": 0, "keep_num_dims": 2, "asymmetric_quantize_inputs": 3}),
    "BATCH_MATMUL": (126, 101, {"adj_x": 0, "adj_y": 1, "asymmetric_quantize_inputs": 2}),
    "CONV_2D": (3, 1, _CONV),
    "DEPTHWISE_CONV_2D": (4, 2, {"padding": 0, "stride_w": 1, "stride_h": 2, "depth_multiplier": 3, "activation": 4,
                                 "dilation_w": 5, "dilation_h": 6}),
    "CONV_3D": (132, 106, {"padding": 0, "stride_d": 1, "stride_w": 2, "stride_h": 3, "activation": 4,
                           "dilation_d": 5, "dilation_w": 6, "dilation_h": 7}),
    "TRANSPOSE_CONV": (67, 49, {"padding": 0, "stride_w": 1, "stride_h": 2, "activation": 3}),
    "MAX_POOL_2D": (17, 5, _POOL), "AVERAGE_POOL_2D": (1, 5, _POOL),
    "QUANTIZE": (114, 89, {}), "DEQUANTIZE": (6, 38, {}),
}  # fmt: skip

VERSIONS = {"BROADCAST_TO": 2, "FULLY_CONNECTED": 6}
"""Versions of operators, where it is not the first."""


def options_of(kind: str, settings: dict[str, Any]) -> dict[int, Any]:
    """The table of the options of an operator.

    Args:
        kind: Its name.
        settings: Field -> NumPy scalar; an int stands for 32 bits, a bool for one byte.
    """
    slots = OPERATORS[kind][2]
    sized = {}
    for name, value in settings.items():
        is_sized = isinstance(value, np.generic)
        sized[slots[name]] = value if is_sized else np.bool_(value) if isinstance(value, bool) else np.int32(value)
    return sized
