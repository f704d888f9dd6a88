"""How a model shows itself: in a line, and in a notebook as a summary that folds."""

from __future__ import annotations

import re
from typing import Any

from lamina.core.representation import shown
from lamina.layers.base import call_signature
from lamina.layers.input_layer import InputLayer
from lamina.models.summary import connections_of, count_of, is_branching, listed, output_shape_of, totals
from lamina.runtime.terminal import escape

__all__ = ["html_of", "line_of"]

_LAYERS, _LONGEST = 8, 200  # of a Sequential that is shown as the call that makes it
_LAYERS_OF_A_PAGE = 60  # of a model whose page of some 100 KB is shown with its summary
_STYLE = """<style>
.lamina-model { font: 13px/1.5 system-ui, sans-serif; color: inherit; overflow-x: auto; max-width: 100% }
.lamina-model summary { cursor: pointer }
.lamina-model table { border-collapse: collapse; margin: 4px 0 4px 18px; color: inherit; background: none;
  font-size: 13px }
.lamina-model table td, .lamina-model table th { text-align: left; padding: 2px 14px 2px 6px; border: 0;
  border-bottom: 1px solid rgba(128, 128, 128, .3); background: none; color: inherit; vertical-align: top }
.lamina-model table td.count, .lamina-model table th.count { text-align: right; font-variant-numeric: tabular-nums }
.lamina-model small { opacity: .75; font-size: 12px }
.lamina-model table tr.inside > td { padding: 0; border: 0 }
.lamina-model > details > table { max-height: 32em; overflow-y: auto; display: block; width: fit-content }
.lamina-model p { margin: 4px 0 4px 18px }
</style>"""


def line_of(model: Any) -> str:
    """A model in a line: the call that makes a short Sequential; else its size and shapes.

    Args:
        model: A Sequential or functional model.

    >>> import lamina as keras
    >>> line_of(keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="relu")], name="small"))
    'Sequential([Input((4,)), Dense(3, activation="relu")], name="small")'
    """
    kind = type(model).__name__
    sequence = getattr(model, "_sequence", None)
    if sequence is not None and len(sequence) <= _LAYERS:
        trained = "" if model.trainable else ", trainable=False"
        text = f"{kind}([{', '.join(map(_entry, sequence))}], name={shown(model.name)}{trained})"
        if len(text) <= _LONGEST:
            return text
    count = len(model.layers)
    parts = [f"{count} layer{'s' * (count != 1)}", *_sizes(model)]
    return f"<{kind} {shown(model.name)}: {', '.join(parts)}>"


def _entry(layer):
    if not isinstance(layer, InputLayer):
        return shown(layer)
    batch, *rest = layer.batch_shape
    shape = str(tuple(rest)) if batch is None else f"batch_shape={layer.batch_shape}"
    return f"Input({shape}{'' if layer.dtype == 'float32' else f', dtype={shown(layer.dtype)}'})"


def _sizes(model):
    """The shapes and the number of weights, as far as they are known."""
    if getattr(model, "_graph", None) is not None:
        graph = model._graph
        shapes = (call_signature.shape_of(part) for part in (graph.inputs, graph.outputs))
        yield " -> ".join(map(str, shapes))
    yield f"{model.count_params():,} weights" if model.built else "not built"


def html_of(model: Any) -> str:
    """The summary of a model as HTML: models inside it fold, and so do the findings of `model.check()`.

    Args:
        model: Model, built or not.
    """
    branching = is_branching(model)
    total = f"<p><small>{'<br>'.join(map(escape, totals(model)))}</small></p>"
    return (
        f'{_STYLE}<div class="lamina-model"><details open><summary>{_head(model)}</summary>'
        f"{_table(model, branching)}{total}</details>{_findings(model)}{_page(model)}"
        "<p><small><code>model.explain()</code> says what each layer does; <code>model.view()</code> opens its page."
        "</small></p></div>"
    )


def _head(model):
    count = len(model.layers)
    parts = [f"{count} layer{'s' * (count != 1)}", *_sizes(model)]
    return f"<b>{escape(model.name)}</b> ({escape(type(model).__name__)}) <small>{escape(', '.join(parts))}</small>"


def _table(model, branching):
    heads = ["Layer (type)", "Output shape", "Weights", *["Connected to"] * branching, "Trained"]
    head = "".join(f"<th{_class(name)}>{name}</th>" for name in heads)
    rows = "".join(_row(one, model, branching, len(heads)) for one in listed(model))
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _class(name):
    return ' class="count"' if name == "Weights" else ""


def _row(layer, model, branching, columns):
    weights = getattr(layer, "weights", [])
    trained = "" if not weights else "yes" if getattr(layer, "trainable_variables", []) else "frozen"
    cells = [
        f"{layer.name} ({type(layer).__name__})", output_shape_of(layer), count_of(layer),
        *[connections_of(layer, model)] * branching, trained,
    ]  # fmt: skip
    row = "".join(f"<td{' class=count' if place == 2 else ''}>{escape(cell)}</td>" for place, cell in enumerate(cells))
    if not getattr(layer, "layers", None):
        return f"<tr>{row}</tr>"
    inside = (
        f"<details><summary><small>inside {escape(layer.name)}</small></summary>{_table(layer, is_branching(layer))}"
    )
    return f'<tr>{row}</tr><tr class="inside"><td colspan="{columns}">{inside}</details></td></tr>'


def _findings(model):
    if not model.built:
        return "<p><small>Not built: it gets its weights from the first data, or from build(input_shape).</small></p>"
    try:
        findings = list(model.check())
    except Exception as error:  # what a notebook shows must not fail, whatever a user's layer does
        return f"<p><small>The checks could not look at it: {escape(str(error).splitlines()[0])}</small></p>"
    if not findings:
        return "<p><small>The checks found nothing.</small></p>"
    items = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in _cells(finding))}</tr>" for finding in findings)
    count = len(findings)
    return (
        f"<details><summary>{count} finding{'s' * (count != 1)} of the checks</summary>"
        f"<table><tbody>{items}</tbody></table></details>"
    )


def _page(model):
    """The page of `model.view()` in a fold, for models of which it is small and made at once."""
    if not model.built or sum(1 for _ in model._flatten_layers()) > _LAYERS_OF_A_PAGE:
        return ""
    try:
        from lamina.view.page import page_of  # here, as few programs show a model in a notebook

        frame = page_of(model)._repr_html_()
    except Exception:  # as for the checks: the summary is shown whatever a user's layer does
        return ""
    return f"<details><summary>The page of <code>model.view()</code></summary>{frame}</details>"


def _cells(finding):
    place = f" in {escape(finding.layer)}" if finding.layer else ""
    fix = re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(finding.fix))
    code = f"<b>{escape(finding.code)}</b>"
    if finding.address:
        code = f'<a href="{escape(finding.address)}" target="_blank">{code}</a>'
    yield f"{code} {escape(finding.severity)}{place}"
    yield f"{escape(finding.message)}<br><b>Fix:</b> {fix}<br><small><code>{escape(finding.page)}</code></small>"
