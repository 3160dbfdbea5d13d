"""Holds the codecs: one module each; none imports another; ``registry.codecs`` finds them.

The contract is ``core.codec``, its test ``testing.conformance_codec``. What codecs of picture formats share is in
``images.picture_codec``.
"""
