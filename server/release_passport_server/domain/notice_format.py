"""How an event becomes a message: plain, as a CloudEvent, or by a template that can do nothing but fill in texts."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from release_passport_server.domain.canonical import canonical
from release_passport_server.domain.notices import Event, Format

MAX_TEMPLATE = 16 * 1024
MAX_FILLED = 64 * 1024
_MAX_DEPTH = 20
_PLACEHOLDER = re.compile(r"\{\{ *([a-z]+) *(?:\| *([a-z]+) *)?\}\}")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~@])")
_FIELDS = (
    *("id", "type", "time", "tenant", "subject", "release", "service", "environment", "version"),
    *("principal", "verdict", "reasons", "title", "reason"),
)
# A text that somebody wrote must not call a whole chat, or point elsewhere than it says.
_FILTERS: Mapping[str, Callable[[str], str]] = {
    "": lambda text: text,
    "slack": lambda text: text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"),
    "markdown": lambda text: _MARKDOWN.sub(r"\\\1", text),
}


class TemplateInvalid(ValueError):
    """A template cannot be used; the text says what is wrong with it, and where."""


@dataclass(frozen=True, slots=True)
class Message:
    """What is posted, but for its signature."""

    id: str
    headers: Mapping[str, str]
    body: bytes


def message_of(event: Event, form: str, template: str) -> Message:
    """Return the message of an event; raise TemplateInvalid for a template that was not checked."""
    match form:
        case Format.CLOUDEVENTS_STRUCTURED:
            body = canonical(_attributes(event) | {"data": event.data()})
            return Message(event.id, {"content-type": "application/cloudevents+json"}, body)
        case Format.CLOUDEVENTS_BINARY:
            named = _attributes(event)
            del named["datacontenttype"]
            # As the HTTP binding has it: visible ASCII as it is, everything else and % and " in percent.
            headers = {f"ce-{name}": quote(value, safe=_VISIBLE) for name, value in named.items()}
            return Message(event.id, headers | {"content-type": "application/json"}, canonical(event.data()))
        case Format.TEMPLATE:
            return Message(event.id, {"content-type": "application/json"}, filled(template, event))
        case _:
            plain = {"type": event.type, "timestamp": event.stamped, "data": event.data()}
            return Message(event.id, {"content-type": "application/json"}, canonical(plain))


def filled(template: str, event: Event) -> bytes:
    """Return a template with the event's texts in it; raise TemplateInvalid."""
    texts = {name: _text(event, name) for name in _FIELDS}
    body = json.dumps(_filled(_parsed(template), texts, "", 0), ensure_ascii=False).encode()
    if len(body) > MAX_FILLED:
        raise TemplateInvalid(f"makes a message of {len(body)} bytes; {MAX_FILLED} are the most")
    return body


_VISIBLE = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in '%"')


def _attributes(event: Event) -> dict[str, str]:
    number = event.id.split("-")
    return {
        "specversion": "1.0",
        "id": event.id,
        "source": f"/tenants/{event.tenant}",
        "type": f"dev.release-passport.{event.type}",
        "subject": event.resource,
        "time": event.stamped,
        "datacontenttype": "application/json",
        # Sorts as the events happened.
        "sequence": "-".join(part.zfill(19) for part in number[-2:]),
    }


def _text(event: Event, name: str) -> str:
    if name in {"id", "type"}:
        return str(getattr(event, name))
    if name == "time":
        return event.stamped
    value = event.data()[name]
    return ", ".join(value) if isinstance(value, list) else str(value)


def _parsed(template: str) -> Any:
    if len(template.encode()) > MAX_TEMPLATE:
        raise TemplateInvalid(f"is longer than {MAX_TEMPLATE} bytes")
    try:
        found = json.loads(template)
    except (ValueError, RecursionError) as error:
        raise TemplateInvalid(f"is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise TemplateInvalid("is not a JSON object")
    return found


def _filled(value: Any, texts: Mapping[str, str], path: str, depth: int) -> Any:
    if depth > _MAX_DEPTH:
        raise TemplateInvalid(f"{path or 'the template'} lies deeper than {_MAX_DEPTH} levels")
    match value:
        case str():
            return _filled_text(value, texts, path)
        case list():
            return [_filled(one, texts, f"{path}[{i}]", depth + 1) for i, one in enumerate(value)]
        case dict():
            if any("{{" in name for name in value):
                raise TemplateInvalid(f"{path or 'the template'} has a placeholder in a name")
            return {
                name: _filled(one, texts, f"{path}.{name}".lstrip("."), depth + 1)
                for name, one in value.items()
            }
        case _:
            return value


def _filled_text(text: str, texts: Mapping[str, str], path: str) -> str:
    if "{{" in _PLACEHOLDER.sub("", text):
        raise TemplateInvalid(f"{path} has a placeholder that is not {{{{field}}}} or {{{{field|filter}}}}")
    for name, chosen in _PLACEHOLDER.findall(text):
        if name not in texts:
            raise TemplateInvalid(f"{path} has {{{{{name}}}}}; there are {', '.join(_FIELDS)}")
        if chosen not in _FILTERS:
            raise TemplateInvalid(f"{path} has the filter {chosen}; there are slack and markdown")
    return _PLACEHOLDER.sub(lambda found: _FILTERS[found[2] or ""](texts[found[1]]), text)
