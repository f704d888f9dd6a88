"""The known names that are nearest to one that does not exist, by the words they share and by their letters."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

__all__ = ["custom_objects_of", "did_you_mean", "letters_of", "nearest", "or_list", "renamed"]

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_SYNONYMS = {
    "avg": "average", "acc": "accuracy", "lr": "learning rate", "crossentropy": "cross entropy", "ce": "cross entropy",
    "abs": "absolute", "pct": "percentage", "opt": "optimizer", "img": "image", "num": "number", "fc": "dense",
    "err": "error", "fullyconnected": "dense",
}  # fmt: skip
_FILLERS = frozenset("loss function metric activation optimizer".split())  # add nothing: huber_loss
_LONGEST = 200  # letters of a name; comparing takes their product, and a file may have names of any length
_USUAL = (  # of several equally near names, what most programs have
    "sparse_categorical_crossentropy categorical_crossentropy binary_crossentropy accuracy adam mse mae relu "
    "mean_squared_error epochs batch_size learning_rate kernel_initializer kernel_regularizer activation metrics loss "
    "optimizer fit evaluate predict summary Dense Conv2D MaxPooling2D GlobalAveragePooling2D Embedding LSTM int8"
).split()


def nearest(name: str, known: Iterable[str], count: int = 3, strict: bool = False) -> list[str]:
    """The known names that may have been meant, the likeliest first; empty where nothing is near.

    Args:
        name: Name that does not exist.
        known: Names that exist. Of those that differ only in capitals and underscores, one counts.
        count: At most so many names; more than one only if they are about equally near.
        strict: Only count slips of the keyboard. For names that people make up, as those of their own classes.

    >>> nearest("sparse_crossentropy", ["binary_crossentropy", "sparse_categorical_crossentropy"])
    ['sparse_categorical_crossentropy']
    >>> nearest("cross_entropy", ["hinge", "binary_crossentropy", "categorical_crossentropy"])
    ['categorical_crossentropy', 'binary_crossentropy']
    >>> nearest("Mine", ["hinge", "mean", "Dense"])
    []
    """
    if len(name) > _LONGEST:
        return []
    unique: dict[str, str] = {}
    for key in sorted(known, key=lambda key: (key.islower() != name.islower(), key)):
        if letters_of(key):
            unique.setdefault(letters_of(key), key)
    score = _slips if strict else _score
    scores = {key: score(name, key) for key in unique.values()}
    typed = letters_of(name)
    order = {key: (-scores[key], _usual(key), -_likeness(typed, letters_of(key)), key) for key in scores}
    ranked = sorted((key for key in scores if scores[key]), key=lambda key: order[key])
    if not ranked or scores[ranked[0]] >= 1:
        return ranked[:1]
    words = _words(name)
    near = [key for key in ranked if scores[key] > scores[ranked[0]] - 0.03]
    if words <= _words(ranked[0]):  # what was typed is a part of several names
        near = sorted((key for key in ranked if words <= _words(key)), key=lambda key: (_usual(key), -scores[key]))
    return near[:count]


def did_you_mean(name: str, known: Iterable[str], strict: bool = False) -> str:
    """A sentence with a space before it, " Did you mean 'relu'?", or "" where nothing is near.

    Args:
        name: Name that does not exist.
        known: Names that exist.
        strict: See `nearest`.
    """
    near = nearest(name, known, strict=strict)
    return f" Did you mean {or_list([repr(key) for key in near])}?" if near else ""


def custom_objects_of(key: str, name: str | None = None) -> str:
    """The argument that gives an object its name: `custom_objects={'Scale': Scale}`. What a file has in the place of a
    name may be no name, but several lines, say.

    Args:
        key: Name in the file.
        name: Name of the object, if it is another.
    """
    name = key if name is None else name
    return f"custom_objects={{{str(key)!r}: {name if str(name).isidentifier() else '...'}}}"


def renamed(what: str, given: dict[str, Any], expected: Iterable[str]) -> str:
    """Code of a dict with the expected keys in place of those that do not exist: `x = {'a': x['a'], 'b': x['bb']}`.

    Args:
        what: Name of the dict.
        given: The dict; texts, numbers and None are written out.
        expected: Keys that exist.

    >>> renamed("loss", {"prize": "mse", "kind": "mae"}, ["price", "kind"])
    "loss = {'price': 'mse', 'kind': 'mae'}"
    """
    free = [key for key in expected if key not in given]
    pairs = []
    for key, value in given.items():
        if key not in expected:
            if not free:
                continue
            free.remove(new := (nearest(str(key), free) or free)[0])
        else:
            new = key
        code = repr(value) if isinstance(value, str | int | float | None) else f"{what}[{key!r}]"
        pairs.append(f"{new!r}: {code}")
    return f"{what} = {{{', '.join(pairs)}}}"


def or_list(items: Sequence[str]) -> str:
    """Items in a sentence: "a, b or c".

    Args:
        items: Texts.
    """
    return " or ".join(text for text in (", ".join(items[:-1]), items[-1]) if text)


def letters_of(name: str) -> str:
    """A name without capitals and underscores.

    Args:
        name: Name.
    """
    return re.sub(r"[\W_]", "", name).lower()


def _words(name):
    found = [str(_SYNONYMS.get(word.lower(), word.lower())) for word in _WORD.findall(name)]
    words = frozenset(" ".join(found).split())
    return words - _FILLERS or words


def _usual(key):
    return _USUAL.index(key) if key in _USUAL else len(_USUAL)


def _slips(name, key):
    """How near two names are if only slips of the keyboard count, and not a known word in a made-up name: MyDense."""
    typed, known = letters_of(name), letters_of(key)
    if typed != known and known in typed and len(typed) > len(known) + 1:
        return 0.0
    likeness = _likeness(typed, known)
    return likeness if likeness >= 0.8 else 0.0


def _score(name, key):
    typed, known = letters_of(name), letters_of(key)
    if typed == known:
        return (
            1.0 if key.islower() or not name.islower() else 0.85
        )  # keras.layer is rather keras.layers than keras.Layer
    initials = "".join(word[0] for word in _WORD.findall(key)).lower()
    if len(initials) > 2 and typed == initials:
        return 0.95  # rmse
    words, others = _words(name), _words(key)
    letters, shared = _likeness(typed, known), _shared(words, others)
    stems = 0.75 * (_alike(*(re.sub(r"\d+d?$", "", text) for text in (typed, known))) > 0.8)  # Upsample, UpSampling2D
    enough = letters >= 0.66, shared >= (0.5 if words <= others else 0.6 if others <= words else 0.7), stems
    return min(0.99, max(letters, shared, stems)) if any(enough) else 0.0


def _shared(typed, known):
    """The share of the letters of both names in words that both have; words that were typed count twice."""

    def covered(words, others):
        return sum(len(word) * max((_alike(word, other) for other in others), default=0) for word in words)

    length = 2 * sum(map(len, typed)) + sum(map(len, known))
    return (2 * covered(typed, known) + covered(known, typed)) / max(length, 1)


def _alike(word, other):
    short, long = sorted((word, other), key=len)
    if word == other:
        return 1.0
    if len(short) >= 3 and long.startswith(short):
        return 0.9  # norm, normalization
    start = next((i for i, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    if start >= 5 and start >= 0.75 * len(short):
        return 0.85  # rescale, rescaling
    return likeness if (likeness := _likeness(word, other)) >= 0.6 and len(short) >= 4 else 0.0


def _likeness(a, b):
    return 1 - _distance(a, b) / max(len(a), len(b), 1)


def _distance(a, b):
    """Letters to insert, leave out, change or swap with the next one."""
    before, last = [], list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        row = [i]
        for j, y in enumerate(b, 1):
            row.append(min(last[j] + 1, row[-1] + 1, last[j - 1] + (x != y)))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                row[j] = min(row[j], before[j - 2] + 1)
        before, last = last, row
    return last[-1]
