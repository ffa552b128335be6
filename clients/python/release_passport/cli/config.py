"""Where the server is: flags over PASSPORT_* variables over the context of the configuration file."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

from release_passport.cli.failure import usage

if TYPE_CHECKING:
    from release_passport.strict_yaml import Mapping as YAMLMapping
    from release_passport.target import Target

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"", "0", "false", "no", "off"}
_MAX_SECRET_BYTES = 16 * 1024
_MAX_PEM_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Place:
    """One layer of what may be said about a server; None is not said."""

    server: str | None = None
    token: str | None = field(default=None, repr=False)
    token_file: str | None = None
    tenant: str | None = None
    ca_file: str | None = None
    # The audience of the tokens that a CI job asks for.
    audience: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    plaintext: bool | None = None
    insecure_plaintext: bool | None = None

    def over(self, below: Place) -> Place:
        """Return this layer with the gaps filled from the one below; a credential is one thing."""
        merged = {f.name: v for f in fields(self) if (v := getattr(self, f.name)) is not None}
        if "token" in merged or "token_file" in merged:
            below = replace(below, token=None, token_file=None)
        return replace(below, **merged)


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """The contexts of the configuration file, and the one in use."""

    contexts: dict[str, Place] = field(default_factory=dict)
    current: str = ""


def config_path(environ: Mapping[str, str]) -> Path:
    """Return where the configuration file is."""
    if chosen := environ.get("PASSPORT_CONFIG"):
        return Path(chosen)
    base = environ.get("XDG_CONFIG_HOME") or str(Path(environ.get("HOME") or Path.home(), ".config"))
    return Path(base, "release-passport", "config.yaml")


def resolve(flags: Place, context: str | None, environ: Mapping[str, str]) -> Place:
    """Return what holds: flags over environment over the context in use."""
    file = load_config(config_path(environ))
    chosen = context or environ.get("PASSPORT_CONTEXT") or file.current
    if chosen and chosen not in file.contexts:
        known = ", ".join(sorted(file.contexts)) or "none"
        raise usage(f"there is no context {chosen!r} (known: {known}); `passport context set` makes one")
    below = file.contexts.get(chosen, Place())
    place = flags.over(_from_environment(environ).over(below))
    return _without_scheme(place)


def target_of(place: Place) -> Target:
    """Return the target that the place describes, with its secrets read."""
    from release_passport.target import Target, TargetInvalid

    if not place.server:
        raise usage(
            "no server is set; give --server, PASSPORT_SERVER, or `passport context set NAME --server …`"
        )
    try:
        return Target(
            server=place.server,
            token=token_of(place),
            ca_certificates=_read(place.ca_file, "the CA file") if place.ca_file else None,
            plaintext=_is_plaintext(place, place.server),
            insecure_plaintext=bool(place.insecure_plaintext),
            certificate=_read(place.cert_file, "the client certificate") if place.cert_file else None,
            certificate_key=_read(place.key_file, "the key file") if place.key_file else None,
        )
    except TargetInvalid as error:
        raise usage(str(error)) from error


def _is_plaintext(place: Place, server: str) -> bool:
    """Say whether there is no TLS: where that was said, and on this machine where nothing was said."""
    from release_passport.target import host_and_port, is_loopback

    if place.plaintext is not None or place.insecure_plaintext:
        return bool(place.plaintext or place.insecure_plaintext)
    return place.ca_file is None and place.cert_file is None and is_loopback(host_and_port(server)[0])


def token_of(place: Place) -> str:
    """Return the token, read from its file where one is named; empty when there is none."""
    if place.token is not None:
        return place.token.strip()
    if place.token_file:
        try:
            return _read(place.token_file, "the token file").decode("ascii").strip()
        except UnicodeDecodeError:
            raise usage(f"the token file {place.token_file} does not hold a token") from None
    return ""


def load_config(path: Path) -> ConfigFile:
    """Return what the configuration file says; nothing when there is none."""
    if not path.exists():
        return ConfigFile()
    from release_passport.strict_yaml import Mapping as YAMLMapping
    from release_passport.strict_yaml import Scalar, read_yaml

    document = read_yaml(path)
    if not isinstance(document, YAMLMapping):
        raise usage(f"{path} must have the fields current_context and contexts")
    _only(path, document, {"current_context", "contexts"})
    current = document.entries.get("current_context", Scalar("", document.place))
    listed = document.entries.get("contexts", YAMLMapping({}, {}, document.place))
    if not isinstance(current, Scalar) or not isinstance(listed, YAMLMapping):
        raise usage(f"{path}: current_context is a name, and contexts are fields with values")
    contexts = {name: _context(path, name, node) for name, node in listed.entries.items()}
    return ConfigFile(contexts, current.text)


def save_config(path: Path, config: ConfigFile) -> None:
    """Write the file so that only its owner can read it, and never half of it."""
    import yaml

    document = {
        "current_context": config.current,
        "contexts": {
            name: {f.name: v for f in fields(place) if (v := getattr(place, f.name)) is not None}
            for name, place in sorted(config.contexts.items())
        },
    }
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".config-")
    try:
        os.fchmod(handle, stat.S_IRUSR | stat.S_IWUSR)
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            yaml.safe_dump(document, stream, sort_keys=False, allow_unicode=True)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def boolean(text: str, name: str) -> bool:
    """Return the truth of a setting's text."""
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise usage(f"{name} must be true or false, not {text[:40]!r}")


def _from_environment(environ: Mapping[str, str]) -> Place:
    def flag(name: str) -> bool | None:
        return boolean(environ[name], name) if environ.get(name) else None

    return Place(
        server=environ.get("PASSPORT_SERVER") or None,
        token=environ.get("PASSPORT_TOKEN") or None,
        token_file=environ.get("PASSPORT_TOKEN_FILE") or None,
        tenant=environ.get("PASSPORT_TENANT") or None,
        ca_file=environ.get("PASSPORT_CA_FILE") or None,
        audience=environ.get("PASSPORT_AUDIENCE") or None,
        cert_file=environ.get("PASSPORT_CERT_FILE") or None,
        key_file=environ.get("PASSPORT_KEY_FILE") or None,
        plaintext=flag("PASSPORT_PLAINTEXT"),
        insecure_plaintext=flag("PASSPORT_INSECURE_PLAINTEXT"),
    )


def _context(path: Path, name: str, node: object) -> Place:
    from release_passport.strict_yaml import Mapping as YAMLMapping
    from release_passport.strict_yaml import Scalar

    if not isinstance(node, YAMLMapping):
        raise usage(f"{path}: the context {name!r} must have fields such as server")
    names = {f.name for f in fields(Place)}
    _only(path, node, names)
    said: dict[str, str | bool] = {}
    for key, value in node.entries.items():
        if not isinstance(value, Scalar):
            raise usage(f"{path}:{value.place.line}: {key} must be a single value")
        is_flag = key in {"plaintext", "insecure_plaintext"}
        said[key] = boolean(value.text, f"{path}: {key}") if is_flag else value.text
    return Place(**said)  # type: ignore[arg-type]  # Every key is a field, and each has its type.


def _only(path: Path, node: YAMLMapping, names: set[str]) -> None:
    for key in node.entries.keys() - names:
        raise usage(f"{path}:{node.places[key].line}: {key[:80]!r} is not one of {', '.join(sorted(names))}")


def _without_scheme(place: Place) -> Place:
    from release_passport.target import split_scheme

    if not place.server:
        return place
    address, plaintext = split_scheme(place.server)
    if plaintext is None:
        return place
    if not plaintext and place.plaintext:
        raise usage("https:// and plaintext contradict each other; leave one of them out")
    return replace(place, server=address, plaintext=plaintext)


def _read(path: str, what: str) -> bytes:
    try:
        with Path(path).expanduser().open("rb") as stream:
            return stream.read(_MAX_PEM_BYTES if "CA" in what or "certificate" in what else _MAX_SECRET_BYTES)
    except OSError as error:
        raise usage(f"{what} {path} cannot be read: {error.strerror}") from error
