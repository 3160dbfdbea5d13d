"""The codecs: one module each, none imports another; found by ``registry.codecs``.

The contract is ``core.codec``, its test ``testing.conformance_codec``; what the codecs of picture formats share is in
``picture_codec``.
"""
