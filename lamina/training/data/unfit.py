"""What makes data unfit for a model: in which column and row it stands, and the code that repairs it."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable
from typing import Any, NoReturn

import numpy as np

from lamina.errors import DataError
from lamina.training.data.ragged import padded

__all__ = ["Column", "columns_of", "refuse", "refuse_ragged", "rows_text", "split"]

_DATE = re.compile(r"\s*(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{4})([ T].*)?$")
_YES_NO = ({"yes", "no"}, {"true", "false"}, {"y", "n"}, {"t", "f"}, {"on", "off"})
_MOST_CATEGORIES = 50  # different texts; a column with more of them holds no categories
_SHOWN = 3
_CLEANERS = (  # (pattern, what replaces it): what people write around and within numbers, the simplest first
    ("", ""),
    (r"[$€£¥%\s]|,(?=\d{3}(?!\d))", ""),  # $1,234.50
    (",", "."),  # 3,5
)


@dataclasses.dataclass(frozen=True)
class Column:
    """One column of the data, or all of it where it has one axis.

    Attributes:
        data: Name of the data it is part of: "x", "y['a']".
        key: Name or number of the column; None where the data has one axis.
        values: Its values.
        of: "frame", "series" or "array".
        index: Labels of the rows, where they are not their numbers.
    """

    data: str
    key: Any
    values: Any
    of: str = "array"
    index: Any = None

    @property
    def code(self) -> str:
        """The column as Python."""
        return self.data if self.key is None else f"{self.data}[{'' if self.of == 'frame' else ':, '}{self.key!r}]"

    def at(self, row: int) -> str:
        """The place of a value, as text.

        Args:
            row: Number of its row.
        """
        return self.row(row) if self.of == "array" else f"{self.code}, {self.row(row)}"

    def row(self, row: int) -> str:
        """The place of a value in the column, as text.

        Args:
            row: Number of its row.
        """
        if self.of == "array":
            return f"{self.data}[{row}{'' if self.key is None else f', {self.key!r}'}]"
        return f"row {row}" if self.index is None else f"row {row} (index {self.index[row]!r})"


def columns_of(leaf: Any) -> tuple[list[Any] | None, Any]:
    """(the names of the columns of a table of another library, labels of its rows); None where it has none.

    Args:
        leaf: Data as the user passed it.
    """
    names = getattr(leaf, "column_names", getattr(leaf, "columns", None))  # pyarrow has both
    if names is None or callable(names) or getattr(leaf, "ndim", 2) != 2:
        return None, None
    index: Any = getattr(leaf, "index", None)
    numbered = not hasattr(index, "tolist") or (
        type(index).__name__ == "RangeIndex" and index[:1].tolist() in ([], [0])
    )
    return list(names), None if numbered else index.tolist()


def split(leaf: Any, name: str) -> list[Column]:
    """The columns of data as the user passed it.

    Args:
        leaf: Table, series or array.
        name: Its name.
    """
    names, index = columns_of(leaf)
    if names is not None:
        return [Column(name, key, np.asarray(leaf[key], object), "frame", index) for key in names]
    values = np.asarray(leaf)
    if values.ndim == 2 and hasattr(leaf, "to_numpy"):
        values = values[:, 0]
    if values.ndim == 2 and values.dtype.kind in "OUST":
        return [Column(name, key, values[:, key]) for key in range(values.shape[1])]
    return [Column(name, None, values.reshape(-1), "series" if hasattr(leaf, "to_numpy") else "array")]


@dataclasses.dataclass(frozen=True)
class Trouble:
    """A column that is not numbers.

    Attributes:
        column: The column.
        kind: What it holds: "digits", "gaps", "dates", "durations", "yes or no", "category", "sentences", "arrays" or
            "ragged".
        words: Sentences that say so.
        cleaner: (pattern, replacement) after which its texts are numbers.
    """

    column: Column
    kind: str
    words: str
    cleaner: tuple[str, str] = ("", "")


def refuse(leaf: Any, name: str, is_list: bool = False) -> NoReturn:
    """Raise a DataError about data that is not all numbers.

    Args:
        leaf: Data as the user passed it, or an array of it.
        name: Its name: "x", "y['a']".
        is_list: Whether the user passed a list.
    """
    first = ""
    if columns_of(leaf)[0] is not None and hasattr(leaf, "to_pandas"):  # of polars or pyarrow
        leaf, first = leaf.to_pandas(), f"{name} = {name}.to_pandas(); "
    columns = split(leaf, name)
    troubles = [trouble for trouble in map(_trouble, columns) if trouble is not None]
    if not troubles:  # Python objects that are numbers
        raise DataError(f"{name} is an array of Python objects.", fix=f"{name} = {name}.astype('float32')")
    told = " ".join(trouble.words for trouble in troubles[:_SHOWN])
    if len(troubles) > _SHOWN:
        told += f" {len(troubles) - _SHOWN} more such columns: {_some([t.column.key for t in troubles[_SHOWN:]])}."
    if name[0] == "x" and columns[0].of == "frame" and any(trouble.kind == "category" for trouble in troubles):
        told += f" With one column for each category, {name} becomes wider: use Input(shape=({name}.shape[1],))."
    fix = first + _repair(name, columns, troubles)
    if isinstance(leaf, np.ndarray) and leaf.ndim > 1 and leaf.dtype.kind in "mM":
        fix = f"{name} = {f'({name} - {name}.min())' if leaf.dtype.kind == 'M' else name} / np.timedelta64(1, 'D')"
    raise DataError(told, fix=re.sub(r"\b([xy])(\[keep\]|\.ast)", r"np.asarray(\1)\2", fix) if is_list else fix)


def _trouble(column):
    """The Trouble of a column; None if it holds numbers."""
    values = column.values
    if values.dtype.kind in "mM":
        kind = "dates" if values.dtype.kind == "M" else "durations"
        return Trouble(column, kind, f"{column.code} contains {kind} ({values.dtype}).")
    missing = np.array([_is_missing(value) for value in values], bool)
    present = [value.decode() if isinstance(value, bytes) else value for value in values[~missing]]
    if present and isinstance(present[0], (list, tuple, np.ndarray, dict, set)):
        return _nested(column, present)
    for kind, mark in (("dates", "year"), ("durations", "total_seconds")):
        if present and hasattr(present[0], mark):
            return Trouble(column, kind, f"{column.code} contains {kind} ({type(present[0]).__name__}).")
    if any(isinstance(value, str) for value in present):
        return _text(column, np.array([str(value) for value in present], object), missing)
    if any(not isinstance(value, float) for value in values[missing]):
        row, *more = np.flatnonzero(missing)
        return Trouble(column, "gaps", f"{column.at(row)} is {values[row]!r}{rows_text(more)}.")
    return None


def _text(column, texts, missing):
    fits = [np.array([_is_number(_clean(text, cleaner)) for text in texts]) for cleaner in _CLEANERS]
    best = max(range(len(fits)), key=lambda place: (fits[place].mean(), -place))
    unfit, cleaner, rows = ~fits[best], _CLEANERS[best], np.flatnonzero(~missing)
    gap = f" {column.at(int(np.argmax(missing)))} is missing." if missing.any() else ""
    if not unfit.any():
        words = f"{column.code} is text, though its values are numbers: {_some(texts)}.{gap}"
        return Trouble(column, "gaps" if gap else "digits", words, cleaner)
    if unfit.mean() <= 0.5:
        row, *more = rows[unfit]
        words = (
            f"{column.code} is text: {int((~unfit).sum())} of its {len(column.values)} values are numbers, but "
            f"{column.row(row)} is {texts[unfit][0]!r}{rows_text(more)}.{gap}"
        )
        return Trouble(column, "gaps", words, cleaner)
    different = np.unique(texts.astype(str))
    examples = f"{column.code} contains strings: {_some(different)}"
    if all(map(_DATE.match, texts[unfit][:20])):
        return Trouble(column, "dates", f"{examples}, which are dates.{gap}")
    if {text.lower() for text in different} in _YES_NO and len(different) == 2:
        return Trouble(column, "yes or no", f"{examples}.{gap}")
    few = (
        np.char.count(different, " ").mean() < (2 if column.key is not None else 1)  # a column may be of cities
        and len(different) <= _MOST_CATEGORIES
        and (len(different) < len(texts) or len(texts) < 20)
    )
    words = f"{examples} ({len(different)} different values).{gap}"
    return Trouble(column, "category" if few else "sentences", words)


def _clean(text, cleaner):
    return re.sub(cleaner[0], cleaner[1], text) if cleaner[0] else text


def _nested(column, present):
    lengths = [len(value) for value in present]
    if isinstance(present[0], (dict, set)):
        return Trouble(column, "sentences", f"{column.code} contains Python objects ({type(present[0]).__name__}).")
    row = next((row for row, length in enumerate(lengths) if length != lengths[0]), None)
    if row is not None:
        return Trouble(column, "ragged", _ragged_words(column.code, lengths, row))
    words = f"Each value of {column.code} is a {type(present[0]).__name__} of {lengths[0]} values."
    return Trouble(column, "arrays", words)


def _ragged_words(name, lengths, row):
    more = rows_text([place for place, length in enumerate(lengths) if length != lengths[0] and place != row])
    return (
        f"The rows of {name} differ in length: {name}[0] has {lengths[0]} values, {name}[{row}] has "
        f"{lengths[row]}{more}."
    )


def refuse_ragged(value: Any, name: str) -> NoReturn:
    """Raise a DataError about a list whose rows differ in length.

    Args:
        value: The list.
        name: Its name.
    """
    lengths = [len(row) if hasattr(row, "__len__") and not isinstance(row, str) else None for row in value]
    different = [row for row, length in enumerate(lengths) if length != lengths[0]]
    if not different:
        raise DataError(f"The rows of {name} have the same length, but the values in them differ in shape.",
                        fix=f"[np.shape(row) for row in {name}] shows the shapes; give all one.")  # fmt: skip
    if None in lengths:
        row = different[0]
        raise DataError(f"{name} mixes numbers and rows: {name}[0] is {value[0]!r}, {name}[{row}] is {value[row]!r}.",
                        fix=f"{name} = [np.atleast_1d(row) for row in {name}]")  # fmt: skip
    raise DataError(_ragged_words(name, lengths, different[0]), fix=padded(name, value))


def _repair(name, columns, troubles):
    """One line of Python that makes numbers of all columns that are none."""
    first, kinds = troubles[0], {trouble.kind for trouble in troubles}
    if name[0] == "y" and len(columns) == 1 and first.kind in ("category", "sentences", "yes or no"):
        return _repair_labels(name, first.column)
    if columns[0].of == "frame":
        steps = [_repair_column(trouble) for trouble in troubles]
        categories = [trouble.column.key for trouble in troubles if trouble.kind == "category"]
        dropped = [trouble.column.key for trouble in troubles if trouble.kind == "sentences"]
        steps += [f"{name} = {name}.drop(columns={dropped})"] if dropped else []
        steps += [f"{name} = pd.get_dummies({name}, columns={categories}, dtype=float)"] if categories else []
        return _and_drop_rows([step for step in steps if step], name, kinds, f"{name}.notna().all(axis=1)")
    if columns[0].key is not None:
        return _repair_table(name, troubles, kinds)
    return _and_drop_rows([_repair_column(first) or _repair_texts(first)], name, kinds, f"~np.isnan({name})")


def _repair_column(trouble):
    """The statement that makes numbers of a column; "" where the table is repaired as a whole."""
    column, code = trouble.column, trouble.column.code
    series = f"pd.Series({code})" if column.of == "array" else code
    cleaned = "" if not trouble.cleaner[0] else ".str.replace({!r}, {!r}, regex=True)".format(*trouble.cleaner)
    numbers, dates = f"{code} = pd.to_numeric({series if cleaned else code}{cleaned}", f"pd.to_datetime({series})"
    back = ".to_numpy()" if column.of == "array" else ""
    return {
        "gaps": f"{numbers}, errors='coerce')" + (back if cleaned else ""),
        "digits": f"{numbers}){back if cleaned else ''}" if cleaned else f"{code} = {code}.astype('float32')",
        "dates": f"{code} = ({dates} - {dates}.min()).dt.total_seconds(){back} / 86400",
        "durations": f"{code} = pd.to_timedelta({series}).dt.total_seconds(){back}",
        "yes or no": f"{code} = {code} == {_yes(column)!r}",
        "arrays": f"{column.data} = np.stack({code})",
        "ragged": f"{column.data} = keras.utils.pad_sequences(list({code}), dtype='float32')",
    }.get(trouble.kind, "")


def _repair_texts(trouble):
    """For an array of categories or sentences with one axis."""
    name = trouble.column.data
    if all(str(value).lower().endswith((".jpg", ".jpeg", ".png", ".bmp", ".gif")) for value in trouble.column.values):
        return f"{name} = np.stack([keras.utils.img_to_array(keras.utils.load_img(path)) for path in {name}])"
    if trouble.kind == "category":
        return f"{name} = np.unique({name}, return_inverse=True)[1]"
    return f"texts = keras.layers.TextVectorization(); texts.adapt({name}); {name} = np.asarray(texts({name}))"


def _repair_labels(name, column):
    numbers = f"classes, {name} = np.unique({name}, return_inverse=True)"
    kept = f"keep = pd.notna({name}); x, {name} = x[keep], {name}[keep]; "
    return kept * any(map(_is_missing, column.values)) + numbers


def _repair_table(name, troubles, kinds):
    """For an array with two axes."""
    if kinds == {"digits"} and not any(trouble.cleaner[0] for trouble in troubles):
        return f"{name} = {name}.astype('float32')"
    if kinds <= {"digits", "gaps"}:
        step = f"{name} = pd.DataFrame({name}).apply(pd.to_numeric, errors='coerce').to_numpy()"
        return _and_drop_rows([step], name, {"gaps"}, f"np.isfinite({name}).all(axis=1)")
    keys = [trouble.column.key for trouble in troubles if trouble.kind not in ("digits", "gaps")]
    if kinds <= {"category", "yes or no", "digits"}:
        return f"{name} = pd.get_dummies(pd.DataFrame({name}), columns={keys}, dtype=float).to_numpy('float32')"
    return f"{name} = np.delete({name}, {keys}, axis=1).astype('float32')"


def _and_drop_rows(steps, name, kinds, finite):
    """The steps; where values may be missing after them, their rows are dropped from x and y."""
    if "gaps" in kinds:
        steps = [*steps, f"keep = {finite}"]
        steps += ["x, y = x[keep], y[keep]" if name in ("x", "y") else f"{name} = {name}[keep]"]
    return "; ".join(steps)


def _yes(column):
    """The text of a column of two that means yes."""
    words = sorted({str(value) for value in column.values})
    return next((word for word in words if word.lower() in ("yes", "true", "y", "t", "on")), "")


def _is_missing(one):
    return one is None or type(one).__name__ in ("NAType", "NaTType") or (type(one) is not np.ndarray and one != one)


def _is_number(text):
    try:
        float(text)
    except ValueError:
        return False
    return True


def rows_text(rows: Iterable[Any]) -> str:
    """ " (5 more, in rows 126, 330, 336, ...)": where else; "" for no rows.

    Args:
        rows: Numbers of the other rows.
    """
    rows = list(map(int, rows))
    return f" ({len(rows)} more, in row{'s' * (len(rows) > 1)} {_some(rows)})" if rows else ""


def _some(values):
    values = list(values)
    return ", ".join(repr(str(v) if isinstance(v, np.str_) else v) for v in values[:_SHOWN]) + ", ..." * (
        len(values) > _SHOWN
    )
