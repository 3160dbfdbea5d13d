"""Writing a data set into a store for keeps: streamed, verified image by image, resumed where it was killed.

Everything happens in a folder beside the destination, ``NAME.converting``, which is renamed when the store in it is
whole and has been read back: the destination is whole or absent.
"""

from imgstore_tui.jobs.convert.conversion import Conversion, ConversionResult, plan_conversion

__all__ = ["Conversion", "ConversionResult", "plan_conversion"]
