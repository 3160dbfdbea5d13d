"""The storage systems: one module or package each, none imports another; found by ``registry.backends``.

What several are made of is in ``store_parts``; the contract is ``core.backend``, its test
``testing.conformance_backend``.
"""
