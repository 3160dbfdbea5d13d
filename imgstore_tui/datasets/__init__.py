"""Where images come from: one module each, none imports another; found by ``registry.datasets``.

The contract is ``core.dataset``, its test ``testing.conformance_dataset``.
"""
