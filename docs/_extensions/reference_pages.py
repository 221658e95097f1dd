"""Pages made from the code: one for each process, one for each package of the kernels.

A process page comes from the chain's declaration (the same description that the WPS inputs and
the command line come from), so that it cannot fall behind. The pages are written to
``docs/generated`` before Sphinx reads its sources.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import GenericAlias
from typing import Any

from sphinx.application import Sphinx

import kernels
from kernels.chains.registry import Chain
from kernels.chains.request import OptionInfo
from processes.declared import declared_chains

_WORDS = {str: "text", int: "whole number", float: "number", bool: "true or false", Path: "path"}


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension with Sphinx."""
    app.connect("builder-inited", write_pages)
    app.connect("autodoc-skip-member", skip_alias)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def write_pages(app: Sphinx) -> None:
    """Write all pages anew; those that did not change keep their date."""
    folder = Path(app.srcdir) / "generated"
    pages = {
        **{f"processes/{chain.name}": process_page(chain) for chain in chains()},
        **{f"api/{name}": package_page(name) for name in packages()},
    }
    for name, text in pages.items():
        path = folder / f"{name}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
    for path in folder.rglob("*.md"):
        if str(path.relative_to(folder).with_suffix("")) not in pages:
            path.unlink()


def skip_alias(
    _app: Sphinx, _what: str, _name: str, thing: object, _skip: bool, _options: object
) -> bool | None:
    """Leave out names for types such as ``dict[int, Band]``, which autodoc takes for classes."""
    return True if type(thing) is GenericAlias else None


def chains() -> Iterator[Chain]:
    """Return the chain of every process."""
    return iter(declared_chains().values())


def process_page(chain: Chain) -> str:
    """Describe one process: what it does, its inputs and outputs, how to call it."""
    infos = chain.inputs
    required = " ".join(
        f"--{info.name.replace('_', '-')} {'PATH' if info.kind is Path else 'TEXT'}"
        for info in infos
        if info.required
    )
    return "\n".join(
        [
            f"# {chain.name}",
            f"**{chain.title}** (version {chain.version})",
            "",
            chain.abstract,
            "",
            "```sh",
            f".venv/bin/python -m processes run {chain.name} {required} --output FOLDER",
            "```",
            "",
            "## Inputs",
            "The names are those of the WPS inputs, of the fields of "
            f"`{chain.request.__module__}.{chain.request.__qualname__}` and of a configuration "
            "file; on the command line they carry dashes (`--dem-heights`).",
            "",
            *(_definition(f"`{info.name}`: {_kind(info)}", _input_lines(info)) for info in infos),
            "## Outputs",
            "",
            *(
                _definition(
                    f"`{output.name}`: `{output.media_type}`", (output.title, output.abstract)
                )
                for output in chain.outputs
            ),
        ]
    )


def _definition(term: str, lines: tuple[str, ...]) -> str:
    paragraphs = [line for line in lines if line]
    return f"{term}\n: " + "\n\n  ".join(paragraphs) + "\n"


def _kind(info: OptionInfo) -> str:
    word = _WORDS[info.kind] + (f" [{info.unit}]" if info.unit else "")
    return f"{word}, once or several times" if info.many else word


def _input_lines(info: OptionInfo) -> tuple[str, ...]:
    return (info.title, info.abstract, _rules(info))


def _rules(info: OptionInfo) -> str:
    rules = []
    if info.choices:
        rules.append("one of " + ", ".join(f"`{choice}`" for choice in info.choices))
    if info.minimum is not None:
        rules.append(f"at least {info.minimum:.15g}")
    if info.maximum is not None:
        rules.append(f"at most {info.maximum:.15g}")
    if info.required:
        rules.append("required")
    elif info.default not in (None, ()):
        rules.append(f"default `{info.default}`")
    else:
        rules.append("may be left out")
    text = "; ".join(rules)
    return text[0].upper() + text[1:] + "."


def packages() -> Iterator[str]:
    """List the packages of the kernels, and the modules that belong to none."""
    for module in iter_modules(kernels.__path__, "kernels."):
        yield module.name


def package_page(name: str) -> str:
    """List the public names of a package; compiled loops are left out."""
    lines = [f"# {name}", ""]
    for module in _public_modules(name):
        lines += [
            f"## {module}" if module != name else "",
            "```{eval-rst}",
            f".. automodule:: {module}",
            "   :members:",
            "   :ignore-module-all:",
            "```",
            "",
        ]
    return "\n".join(lines)


def _public_modules(name: str) -> Iterator[str]:
    yield name
    for module in iter_modules(getattr(import_module(name), "__path__", ())):
        if not module.name.startswith("_") and not module.name.endswith("_numba"):
            yield from _public_modules(f"{name}.{module.name}")
