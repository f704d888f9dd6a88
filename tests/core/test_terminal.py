"""Text in terminals that have no UTF-8."""

import io

from rich.table import Table

from lamina.runtime.terminal import console, printable


def file(encoding):
    return io.TextIOWrapper(io.BytesIO(), encoding)


def test_a_text_is_left_as_it_is_or_becomes_ascii():
    assert printable("▁█ → слой", file("utf-8")) == "▁█ → слой"
    assert printable("▁█ →", file("cp1252")) == printable("▁█ →", file("ascii")) == ".@ ->"
    assert printable("слой", file("ascii")) == r"\u0441\u043b\u043e\u0439"
    assert printable("café", file("cp1252")) == "café"


def test_tables_with_any_name():
    table = Table("→")
    table.add_row("└ слой")
    for encoding in ("cp1252", "ascii"):
        out = file(encoding)
        console(out, width=40).print(table)
        out.flush()
        assert b"` \\u0441" in out.buffer.getvalue() and b"+--" in out.buffer.getvalue()
