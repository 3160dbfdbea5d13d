"""Holds a dataset while it is edited, and checks it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from imgstore_tui.core.dataset import UPTO
from imgstore_tui.core.errors import ImgstoreError, UsageError
from imgstore_tui.core.options import Option, option_text
from imgstore_tui.core.spec import DatasetText, parse_dataset_text, spell_dataset
from imgstore_tui.plugins import registry

KIND, PATH = "kind", "path"
"""Keys of the fields that are not options."""


@dataclass(frozen=True, slots=True)
class DataForm:
    """Kind, path, and every option of a dataset as written."""

    kind: str
    path: str
    values: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, text: str) -> DataForm:
        """Return the form of a dataset as a plan spells it; that of ``synthetic`` if the text is invalid."""
        try:
            parsed = parse_dataset_text(text)
            declared = options_of(parsed.name)
        except ImgstoreError:
            return cls.of("synthetic")
        texts = {name: value for name, value in parsed.options.items() if name in {option.name for option in declared}}
        values = tuple((option.name, texts.get(option.name, option_text(option.default))) for option in declared)
        return cls(parsed.name, parsed.path or "", values)

    @staticmethod
    def reads(text: str) -> bool:
        """Return whether a text can be edited as a form: it has the right shape, and its kind is known."""
        try:
            parsed = parse_dataset_text(text)
            return parsed.options.keys() <= {option.name for option in options_of(parsed.name)}
        except ImgstoreError:
            return False

    def with_value(self, key: str, text: str) -> DataForm:
        """Return the form with another text for a field; another kind has other options, the path stays."""
        if key == KIND:
            return replace(self.of(text), path=self.path)
        if key == PATH:
            return replace(self, path=text)
        return replace(self, values=tuple((name, text if name == key else value) for name, value in self.values))

    @property
    def needs_path(self) -> bool:
        """Whether this kind of dataset has a path."""
        return registry.datasets.get(self.kind).needs_path

    @property
    def fields(self) -> list[tuple[Option, str]]:
        """Every option with its value as written."""
        values = dict(self.values)
        return [(option, values[option.name]) for option in options_of(self.kind)]

    def problems(self) -> dict[str, str]:
        """Return the problems, a sentence by key of the field; the data itself is not read."""
        problems = {}
        for option, text in self.fields:
            try:
                option.parse(text, f"dataset {self.kind}")
                if "," in text:
                    raise UsageError(f"Option '{option.name}' takes no comma: it separates options.")
            except UsageError as error:
                problems[option.name] = str(error)
        if self.needs_path and not self.path.strip():
            fetch = registry.datasets.get(self.kind).fetch_command
            problems[PATH] = f"Name a path. To download it first: {fetch}" if fetch else "Name a path."
        else:
            try:
                spell_dataset(DatasetText(self.kind, self.path if self.needs_path else None))
            except UsageError as error:
                problems[PATH] = str(error)
        if not problems:
            try:
                registry.make_dataset(self._spelled())
            except ImgstoreError as error:
                key = next((option.name for option, _ in self.fields if f"'{option.name}'" in str(error)), KIND)
                problems[key] = str(error)
        return problems

    def text(self) -> str:
        """Return the dataset as a plan spells it.

        Raises:
            UsageError: If a value is invalid.
        """
        for problem in self.problems().values():
            raise UsageError(problem)
        return self._spelled()

    def _spelled(self) -> str:
        changed = {
            option.name: text.strip() for option, text in self.fields if text.strip() != option_text(option.default)
        }
        return spell_dataset(DatasetText(self.kind, self.path if self.needs_path else None, changed))


def options_of(kind: str) -> tuple[Option, ...]:
    """Return the options of a kind of dataset, including the one that every kind has.

    Raises:
        ImgstoreError: If there is no such kind.
    """
    return (*registry.datasets.get(kind).options, UPTO)
