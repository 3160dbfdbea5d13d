"""Converts a dataset into a permanent store: streamed, verified image by image, resumed after a kill.

The store is made in a folder beside the destination, ``NAME.converting``, and renamed once it is complete and verified,
so the destination is complete or absent.
"""

from imgstore_tui.jobs.convert.conversion import Conversion, ConversionResult, plan_conversion
from imgstore_tui.jobs.convert.order import Order

__all__ = ["Conversion", "ConversionResult", "Order", "plan_conversion"]
