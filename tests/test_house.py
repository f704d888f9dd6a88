"""The house: who imports whom, how long things are, what is documented, and that README keeps its form."""

import ast
import graphlib
import importlib
import io
import pathlib
import re
import tokenize
import tomllib

import pytest

ROOT = pathlib.Path(__file__).parents[1]
LAMINA = ROOT / "lamina"

# A file imports from its own floor or a lower one.
FLOORS = {
    "errors": 0, "spelling": 0, "kernels": 0, "runtime": 0, "legacy": 0, "core": 0, "drawing": 1, "tree": 0,
    "datasets": 0,
    "config": 3,
    "ops": 1, "random": 1, "distribution": 1, "scopes": 1, "devices": 1, "rematerialization": 1,
    "activations": 2, "initializers": 2, "regularizers": 2, "constraints": 2, "dtype_policies": 2,
    "quantizers": 2, "saving": 2,
    "losses": 3, "metrics": 3, "optimizers": 3, "mixed_precision": 3,
    "layers": 4, "callbacks": 4,
    "facts": 4.5,
    "training": 5, "export": 5, "explanations": 5, "check": 5, "view": 5,
    "models": 6,
    "applications": 7, "serve": 7, "distillation": 7, "visualization": 7,
    "utils": 8, "preprocessing": 8, "backend": 8, "wrappers": 8,
    "compat": 9, "cli": 9, "__main__": 9,
    "lamina": 10,
}  # fmt: skip

LONGEST_FILE = 350
LONGEST_BODY = 40
# Tokens of code in each folder, annotations included, comments and docstrings not: what a change adds is stated here.
TOKENS = {
    "lamina": 10_700,
    "applications": 16_500,
    "backend": 6_600,
    "callbacks": 20_200,
    "check": 67_600,
    "cli": 20_600,
    "compat": 116_200,
    "core": 62_700,
    "datasets": 5_200,
    "distillation": 1_800,
    "distribution": 5_200,
    "drawing": 7_800,
    "explanations": 21_300,
    "export": 83_000,
    "facts": 15_300,
    "initializers": 3_500,
    "kernels": 14_400,
    "layers": 98_300,
    "legacy": 6_600,
    "losses": 7_800,
    "metrics": 11_000,
    "models": 16_100,
    "ops": 40_500,
    "optimizers": 18_700,
    "preprocessing": 11_500,
    "quantizers": 5_100,
    "runtime": 14_200,
    "saving": 38_000,
    "serve": 10_200,
    "spelling": 10_800,
    "training": 57_400,
    "utils": 23_400,
    "view": 13_800,
    "visualization": 14_200,
    "wrappers": 2_500,
}


def module_name(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {module_name(path): path for path in sorted(LAMINA.rglob("*.py"))}
TREES = {module: ast.parse(path.read_text()) for module, path in FILES.items()}


def package(module):
    """The first name below lamina, or lamina itself."""
    return module.split(".")[1] if "." in module else module


def imports(module):
    """(line, module) of every import of a module of lamina, wherever it stands: inside functions too."""
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "lamina":
                    yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "lamina":
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                yield node.lineno, name if name in FILES else node.module


def test_imports_are_absolute_and_of_files_that_are_there():
    wrong = [
        f"{m}: {ast.unparse(n)}" for m in FILES for n in ast.walk(TREES[m]) if isinstance(n, ast.ImportFrom) and n.level
    ]
    wrong += [f"{m}:{line}: {name}" for m in FILES for line, name in imports(m) if name not in FILES]
    assert not wrong, "\n".join(wrong)


def test_every_package_has_its_floor():
    assert {package(module) for module in FILES} <= set(FLOORS), "write a new package into FLOORS"


def test_no_import_climbs():
    climbing = [
        f"{FILES[module].relative_to(ROOT)}:{line} (floor {FLOORS[package(module)]}) "
        f"imports {name} (floor {FLOORS[package(name)]})"
        for module in FILES
        for line, name in imports(module)
        if FLOORS[package(name)] > FLOORS[package(module)]
    ]
    assert not climbing, "\n".join(climbing)


def test_kernels_stand_alone():
    outside = [f"{m}:{n}: {name}" for m in FILES for n, name in imports(m) if "kernels" == package(m) != package(name)]
    assert not outside, "\n".join(outside)


def needs(names, of=lambda module: module):
    graph = {}
    for module in names:
        graph.setdefault(of(module), set()).update({of(name) for _, name in imports(module)} - {of(module)})
    return graph


@pytest.mark.parametrize("of", [str, package], ids=["files", "packages"])
def test_no_circle(of):
    type_only = {"lamina.datasets"}  # type checkers alone import its modules
    try:
        graphlib.TopologicalSorter(needs(FILES.keys() - type_only, of)).prepare()
    except graphlib.CycleError as error:
        pytest.fail(" <- ".join(error.args[1]))


def defined(tree):
    """Classes and functions with their names, those in classes too, nothing inside functions."""
    for node in tree.body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name, node
            if isinstance(node, ast.ClassDef):
                yield from ((f"{node.name}.{name}", inner) for name, inner in defined(node))


def test_public_classes_and_functions_have_docstrings():
    missing = []
    for module, tree in TREES.items():
        if not ast.get_docstring(tree):
            missing.append(module)
        for name, node in defined(tree):
            parts = name.split(".")
            is_public = not any(part.startswith("_") for part in parts)
            overrides = len(parts) > 1  # a method that is documented in the base need not say it again
            overload = any(ast.unparse(d) == "overload" for d in node.decorator_list)
            if is_public and not overrides and not overload and not ast.get_docstring(node):
                missing.append(f"{module}.{name}")
    assert not missing, "\n".join(missing)


def test_files_and_functions_are_short():
    long = []
    for module, path in FILES.items():
        lines = len(path.read_text().splitlines())
        place = path.relative_to(ROOT).as_posix()
        if lines > LONGEST_FILE:
            long.append(f"{place}: {lines} lines")
        for name, node in defined(TREES[module]):
            body = node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
            length = node.end_lineno - body[0].lineno + 1  # without signature and docstring
            if not isinstance(node, ast.ClassDef) and length > LONGEST_BODY:
                long.append(f"{place}:{node.lineno} {name}: {length} lines")
    assert not long, "\n".join(long)


def tokens_of(module):
    """The number of tokens in a file without comments, docstrings, line breaks and indentation."""
    text, tree = FILES[module].read_text(), TREES[module]
    docstrings = {
        node.body[0].lineno
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node)
    }
    left_out = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    count = depth = 0
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        kind = tokenize.tok_name[token.type]
        depth -= kind == "FSTRING_END"  # Python 3.12 has the parts of an f-string, which count as one
        is_docstring = kind == "STRING" and token.start[0] in docstrings
        count += not (depth or kind == "FSTRING_END" or token.type in left_out or is_docstring)
        depth += kind == "FSTRING_START"
    return count


def test_folders_keep_to_their_size():
    sizes = dict.fromkeys(TOKENS, 0)
    for module, path in FILES.items():
        folder = package(module) if path.parent != LAMINA else "lamina"
        sizes[folder] = sizes.get(folder, 0) + tokens_of(module)
    above = {folder: size for folder, size in sizes.items() if size > TOKENS.get(folder, 0)}
    assert not above, f"more tokens than TOKENS states: {above}"


def collections(tree):
    """(line, strings) of each collection of string constants: keys of a dict, or elements of a tuple, list or set, or
    words of a string that is split. `__all__` and annotations are left out."""
    public = {node.value for node in ast.walk(tree)
              if isinstance(node, (ast.Assign, ast.AugAssign)) and "__all__" in ast.unparse(node)}  # fmt: skip
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            yield node.lineno, {key.value for key in node.keys if isinstance(key, ast.Constant)}
        elif isinstance(node, (ast.Tuple, ast.List, ast.Set)) and node not in public:
            yield node.lineno, {element.value for element in node.elts if isinstance(element, ast.Constant)}
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "split":
            words = node.func.value.value if isinstance(node.func.value, ast.Constant) else ""
            yield node.lineno, set(words.split())


ACTIVATIONS_BY_NAME = {  # files that list functions by name, for other reasons than what they compute
    "lamina.backend.tensors", "lamina.core.sparse", "lamina.ops.activations", "lamina.ops.nn", "lamina.activations",
    "lamina.export.tensorflowjs.layers", "lamina.explanations.pitfalls",
}  # fmt: skip


@pytest.mark.parametrize(
    ("home", "table", "but"),
    [
        ("lamina.facts.activations", "_BOUNDS", ACTIVATIONS_BY_NAME),
        ("lamina.facts.loss_names", "REGRESSION", {"lamina.losses.regression"}),
        ("lamina.legacy.names", "SHORT_LOSS_NAMES", set()),
    ],
)
def test_a_fact_has_one_home(home, table, but):
    names = set(getattr(importlib.import_module(home), table))
    assert len(names) > 3
    others = [
        f"{FILES[module].relative_to(ROOT)}:{line} {sorted(names & strings)}"
        for module, tree in TREES.items()
        for line, strings in collections(tree)
        if module != home and module not in but and len(names & strings) >= 3
    ]
    assert not others, "\n".join(others)


def test_rules_and_facts_ask_for_traits_where_they_mean_a_group_of_layers():
    exported = {cls for cls in dir(importlib.import_module("lamina.layers")) if cls[:1].isupper()}
    groups = [
        f"{FILES[module].relative_to(ROOT)}:{line} {sorted(exported & strings)}"
        for module, tree in TREES.items()
        if package(module) in ("check", "facts")
        for line, strings in collections(tree)
        if len(exported & strings) >= 3
    ]
    assert not groups, "\n".join(groups)


def test_heads_have_one_home():
    assert [m for m, tree in TREES.items() for name, _ in defined(tree) if name == "Head"] == ["lamina.facts.heads"]


def test_no_bare_except_and_nothing_left_to_do():
    wrong = [
        f"{FILES[module]}:{node.lineno}"
        for module, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler) and node.type is None
    ]
    wrong += [str(path) for path in FILES.values() if re.search(r"\b(TODO|FIXME|XXX)\b", path.read_text())]
    assert not wrong, "\n".join(wrong)


def text_without_encoding(tree):
    """(line, call) of text that is read or written in the encoding of the machine."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, (ast.Name, ast.Attribute)):
            name = node.func.id if isinstance(node.func, ast.Name) else f".{node.func.attr}"
            settings = {keyword.arg: keyword.value for keyword in node.keywords}
            mode = settings.get("mode", next(iter(node.args[1:2]), None))
            bytes_ = isinstance(mode, ast.Constant) and "b" in str(mode.value)
            text = {".read_text": not node.args, ".write_text": len(node.args) < 2, "open": not bytes_}
            if text.get(name) and "encoding" not in settings:
                yield node.lineno, ast.unparse(node)


def test_nothing_needs_posix_or_the_encoding_of_the_machine():
    wrong = []
    for module, tree in TREES.items():
        wrong += [f"{module}:{line}: {call}" for line, call in text_without_encoding(tree)]
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                names = {alias.name for alias in node.names}
            else:
                names = {node.module} if isinstance(node, ast.ImportFrom) else set()
            called = ast.unparse(node) if isinstance(node, ast.Attribute) else ""
            path = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
            if names & POSIX_MODULES or called in POSIX_NAMES or path.startswith("/tmp"):
                wrong.append(f"{module}:{node.lineno}: {ast.unparse(node)}")
    assert not wrong, "\n".join(wrong)


POSIX_MODULES = {"fcntl", "grp", "posix", "pty", "pwd", "resource", "termios", "tty"}
POSIX_NAMES = {
    "os.fork", "os.getuid", "os.mkfifo", "os.rename", "os.sched_getaffinity", "os.setsid", "signal.SIGUSR1",
    "signal.SIGKILL", "signal.SIGHUP", "signal.alarm",
}  # fmt: skip


def blocks(text):
    return re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def test_readme_begins_with_its_two_commands():
    main_job, tests = blocks((ROOT / "README.md").read_text())[:2]
    assert main_job.count("\n") == tests.count("\n") == 1
    assert "examples/quickstart.py" in main_job
    assert '".[test]"' in tests and "pytest -n 2" in tests
    assert main_job.startswith("python3 -m venv .venv && ") and tests.startswith("python3 -m venv .venv && ")


def test_wheel_holds_the_data_and_needs_little():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = [re.match(r"[\w-]+", requirement).group() for requirement in project["dependencies"]]
    assert needed == ["jax", "numpy", "ml_dtypes", "h5py", "rich", "flatbuffers"]
    known = {*needed, "lamina"}
    optional = {
        "scipy",
        "pandas",
        "grain",
        "optax",
        "torch",
        "tensorflow",
        "PIL",
        "matplotlib",
        "pydot",
        "sklearn",
        "polars",
        "pyarrow",
        "datasets",
    }
    at_the_top = {
        f"{module}: {name}"
        for module, tree in TREES.items()
        for node in tree.body
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for name in ([alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module])
        if name.split(".")[0] in optional - known and module != "lamina.wrappers"  # classes of scikit-learn's own
    }
    assert not at_the_top, "a heavy extra is imported inside the one function that uses it"
