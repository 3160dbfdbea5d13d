"""A dataset while it is being edited: what was written, and whether it means something."""

from __future__ import annotations

from dataclasses import dataclass, replace

from imgstore_tui.core.dataset import UPTO
from imgstore_tui.core.errors import ImgstoreError, UsageError
from imgstore_tui.core.options import Option, option_text
from imgstore_tui.core.spec import DatasetText, parse_dataset_text, spell_dataset
from imgstore_tui.plugins import registry

KIND, PATH = "kind", "path"
"""The fields that are no options, by the key of each."""


@dataclass(frozen=True, slots=True)
class DataForm:
    """Kind, path, and every option of a dataset as written."""

    kind: str
    path: str
    values: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, text: str) -> DataForm:
        """Return the form that stands for a dataset as a plan spells it; ``synthetic`` where that means nothing."""
        try:
            words = parse_dataset_text(text)
            declared = options_of(words.name)
        except ImgstoreError:
            return cls.of("synthetic")
        given = {name: value for name, value in words.options.items() if name in {option.name for option in declared}}
        values = tuple((option.name, given.get(option.name, option_text(option.default))) for option in declared)
        return cls(words.name, words.path or "", values)

    @staticmethod
    def reads(text: str) -> bool:
        """Tell whether a form can stand for a dataset: it has the right shape, and its kind is known."""
        try:
            words = parse_dataset_text(text)
            return words.options.keys() <= {option.name for option in options_of(words.name)}
        except ImgstoreError:
            return False

    def with_value(self, key: str, text: str) -> DataForm:
        """Return the form after something was written; another kind has options of its own, the path stays."""
        if key == KIND:
            return replace(self.of(text), path=self.path)
        if key == PATH:
            return replace(self, path=text)
        return replace(self, values=tuple((name, text if name == key else value) for name, value in self.values))

    @property
    def needs_path(self) -> bool:
        """Whether this kind is somewhere."""
        return registry.datasets.get(self.kind).needs_path

    @property
    def fields(self) -> list[tuple[Option, str]]:
        """Every option with its value as written."""
        values = dict(self.values)
        return [(option, values[option.name]) for option in options_of(self.kind)]

    def problems(self) -> dict[str, str]:
        """Return what is wrong with the words, a sentence by the key of the field; the data is not looked at."""
        found = {}
        for option, text in self.fields:
            try:
                option.parse(text, f"dataset {self.kind}")
                if "," in text:
                    raise UsageError(f"Option '{option.name}' takes no comma: it separates options.")
            except UsageError as error:
                found[option.name] = str(error)
        if self.needs_path and not self.path.strip():
            found[PATH] = "Name a path."
        else:
            try:
                spell_dataset(DatasetText(self.kind, self.path if self.needs_path else None))
            except UsageError as error:
                found[PATH] = str(error)
        if not found:
            try:
                registry.make_dataset(self._spelled())
            except ImgstoreError as error:
                key = next((option.name for option, _ in self.fields if f"'{option.name}'" in str(error)), KIND)
                found[key] = str(error)
        return found

    def text(self) -> str:
        """Return the dataset as a plan spells it.

        Raises:
            UsageError: If something written means nothing.
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
    """Return the options of a kind of dataset, with the one that each has.

    Raises:
        ImgstoreError: If there is no such kind.
    """
    return (*registry.datasets.get(kind).options, UPTO)
