"""Generate the Python code of the contract, or check that the committed code is up to date.

    python proto/generate.py            write clients/python/release_passport/v1 and proto/openapi.json
    python proto/generate.py --check    write nothing; fail and list what differs

The generator is older than the runtime on purpose: generated code demands at least the protobuf and
grpcio it was made for, so an older generator lets the client install beside older libraries. It is
kept apart from the development environment, which has the newest protobuf, and pinned by hash in
`proto/requirements.lock`.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROTO = ROOT / "proto"
PACKAGE = Path("release_passport/v1")
TARGET = ROOT / "clients/python" / PACKAGE
DESCRIPTION = PROTO / "openapi.json"
LOCK = PROTO / "requirements.lock"
INIT = (
    '"""Generated code of the API, version 1: messages and stubs. Made by `make generate`; do not edit."""\n'
)
GENERATED = ("_pb2.py", "_pb2.pyi", "_pb2_grpc.py", "_pb2_grpc.pyi")


def main(arguments: list[str]) -> int:
    """Write the generated code, or with `--check` compare it; return the exit code."""
    check = arguments == ["--check"]
    if arguments and not check:
        print("usage: generate.py [--check]", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as scratch:
        fresh = generate(Path(scratch))
        stale = differences(fresh)
        described = describe(Path(scratch))
        redescribe = not DESCRIPTION.exists() or DESCRIPTION.read_bytes() != described
        if not check:
            write(fresh, stale)
            DESCRIPTION.write_bytes(described)
        for file in [TARGET / name for name in stale] + [DESCRIPTION] * redescribe:
            print(f"{'out of date' if check else 'wrote'}: {file.relative_to(ROOT)}")
    if check and (stale or redescribe):
        print("The generated code does not match the protos. Run: make generate", file=sys.stderr)
        return 1
    return 0


def generate(scratch: Path) -> dict[str, bytes]:
    """Return the contents of every generated file by name."""
    messages = sources()
    services = [name for name in messages if name.endswith("_service.proto")]
    protoc(scratch, messages, "--python_out", "--pyi_out")
    protoc(scratch, services, "--grpc_python_out", "--mypy_grpc_out")
    files = {file.name: file.read_bytes() for file in (scratch / PACKAGE).iterdir()}
    return files | {"__init__.py": INIT.encode()}


def describe(scratch: Path) -> bytes:
    """Return the OpenAPI description of the protos."""
    compiled = scratch / "compiled"
    compiled.mkdir()
    file = Path("contract.bin")
    protoc(compiled / file, sources(), "--include_source_info", "--descriptor_set_out")
    described = subprocess.run(
        [sys.executable, str(PROTO / "openapi.py")],
        input=(compiled / file).read_bytes(),
        stdout=subprocess.PIPE,
        check=True,
    )
    return described.stdout


def sources() -> list[str]:
    """Return the names of the protos, sorted."""
    return sorted(str(file.relative_to(PROTO)) for file in (PROTO / PACKAGE).glob("*.proto"))


def protoc(scratch: Path, sources: list[str], *outputs: str) -> None:
    """Run the pinned compiler with the given outputs."""
    # The plugin for typed stubs is found beside the interpreter that runs this script.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    subprocess.run(
        [sys.executable, "-m", "grpc_tools.protoc", f"-I{PROTO}"]
        + [f"{output}={options(output)}{scratch}" for output in outputs]
        + sources,
        env=os.environ | {"PYTHONPATH": str(generator()), "PATH": path},
        check=True,
    )


def options(output: str) -> str:
    """Return the prefix that keeps a plugin from reporting every file it writes."""
    return "quiet:" if output == "--mypy_grpc_out" else ""


def generator() -> Path:
    """Return the folder of the pinned generator, installed on first use."""
    key = sha256(LOCK.read_bytes()).hexdigest()[:12]
    folder = Path(sys.prefix) / f"proto-tools-{key}-{sys.implementation.cache_tag}"
    if not folder.exists():
        partial = Path(tempfile.mkdtemp(prefix="proto-tools-", dir=sys.prefix))
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        # Without dependencies: the compiler alone needs neither grpcio nor a protobuf runtime.
        subprocess.run(
            [*pip, "--no-deps", "--require-hashes", "--target", str(partial), "-r", str(LOCK)], check=True
        )
        partial.rename(folder)
    return folder


def differences(fresh: dict[str, bytes]) -> list[str]:
    """Return the names of the files that are missing, different or no longer generated."""
    committed = {file.name for file in TARGET.glob("*") if file.name.endswith(GENERATED)}
    return sorted(
        name
        for name in committed | fresh.keys()
        if name not in fresh or not (TARGET / name).exists() or (TARGET / name).read_bytes() != fresh[name]
    )


def write(fresh: dict[str, bytes], names: list[str]) -> None:
    """Write or remove the named files."""
    TARGET.mkdir(parents=True, exist_ok=True)
    for name in names:
        if name in fresh:
            (TARGET / name).write_bytes(fresh[name])
        else:
            (TARGET / name).unlink()


if __name__ == "__main__":
    if shutil.which("protoc-gen-mypy_grpc", path=str(Path(sys.executable).parent)) is None:
        sys.exit("mypy-protobuf is not installed beside this interpreter. Run: make generate")
    sys.exit(main(sys.argv[1:]))
