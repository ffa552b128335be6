"""Generate the TypeScript code of the contract, or check that the committed code is up to date.

    python clients/typescript/generate.py            write clients/typescript/src/gen
    python clients/typescript/generate.py --check    write nothing; fail and list what differs

The plugin is pinned by package-lock.json: run `npm ci` in clients/typescript first. Which calls may be repeated comes
from the Python client, so that every client repeats the same ones.
"""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parents[1]
TARGET = FOLDER / "src/gen"
PLUGIN = FOLDER / "node_modules/@bufbuild/protoc-gen-es"
ERRORS = Path("google/rpc/error_details.proto")
MARK = "// Made by generate.py; do not edit.\n\n"


def main(arguments: list[str]) -> int:
    """Write the generated code, or with `--check` compare it; return the exit code."""
    check = arguments == ["--check"]
    if not PLUGIN.exists():
        print("The plugin is not installed. Run: npm ci --prefix clients/typescript", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as scratch:
        fresh = generated(Path(scratch))
    committed = {str(file.relative_to(TARGET)): file.read_text() for file in TARGET.rglob("*.ts")}
    stale = sorted(name for name in fresh | committed if fresh.get(name) != committed.get(name))
    for name in stale:
        if not check:
            write(TARGET / name, fresh.get(name))
        print(f"{'out of date' if check else 'wrote'}: {(TARGET / name).relative_to(ROOT)}")
    return 1 if check and stale else 0


def generated(scratch: Path) -> dict[str, str]:
    """Return every generated file by its name."""
    other, out = scratch / "other", scratch / "out"
    (other / ERRORS).parent.mkdir(parents=True)
    (other / ERRORS).write_bytes(published(ERRORS).read_bytes())
    for source in (ROOT, other):
        buf = shutil.which("buf", path=str(Path(sys.executable).parent)) or "buf"
        template = str(FOLDER / "buf.gen.yaml")
        subprocess.run(
            [buf, "generate", str(source), "--template", template, "-o", str(out)], cwd=ROOT, check=True
        )
    files = {str(file.relative_to(out)): file.read_text() for file in out.rglob("*.ts")}
    return files | {"retried.ts": retried(), "services.ts": services(files)}


def published(name: Path) -> Path:
    """Return where the Python library of Google's common protos has one of them."""
    found = importlib.util.find_spec("google.rpc")
    folders = list(found.submodule_search_locations or []) if found else []
    return next(file for folder in folders if (file := Path(folder) / name.name).exists())


def retried() -> str:
    """Return the module that names the calls which may be repeated."""
    sys.path.insert(0, str(ROOT / "clients/python"))
    from release_passport.channel import service_config

    names = json.loads(service_config())["methodConfig"][0]["name"]
    lines = "".join(f'  "{name["service"]}/{name["method"]}",\n' for name in names)
    comment = (
        "/** The calls that read, or that a request id makes one change however often they are sent. */\n"
    )
    return f"{MARK}{comment}export const retried: ReadonlySet<string> = new Set([\n{lines}]);\n"


def services(files: dict[str, str]) -> str:
    """Return the module that lists the services."""
    found = sorted(
        (name, service)
        for name, text in files.items()
        for service in re.findall(r"^export const (\w+): GenService<", text, re.MULTILINE)
    )
    imports = "".join(
        f'import {{ {service} }} from "./{name.removesuffix(".ts")}.js";\n' for name, service in found
    )
    listed = "".join(f"  {service},\n" for _, service in found)
    return f"{MARK}{imports}\n/** Every service of the contract. */\nexport const services = [\n{listed}] as const;\n"


def write(file: Path, text: str | None) -> None:
    """Write or remove one file."""
    if text is None:
        file.unlink()
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
