"""The screen: the only importer of Textual.

``gate`` looks at the terminal before Textual is loaded, ``app`` begins; ``screens`` and ``widgets`` have one of them a
module, ``styles`` how they are laid out. What they show is plain values that know no Textual: the ``choice`` from which
a plan follows, the forms being edited (``spec_form``, ``data_form``, ``conditions``), the run as far as it is
(``session``). A run goes on in a thread, and ``run_thread`` is the one way to it.
"""
