"""Types of settings. Each accepts only what upstream parses correctly, and suggests the correct form otherwise."""

from __future__ import annotations

import ipaddress
import re
from pathlib import PurePosixPath
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from fleethands.settings.expected import InvalidValue, WrongType, check_line, check_text
from fleethands.settings.schema import json_forms
from fleethands.settings.validation import places
from fleethands.settings.validation.accounts import check_account
from fleethands.settings.values.durations import check_duration
from fleethands.settings.values.images import check_image
from fleethands.settings.values.names import ListenAddress, ModelName, check_base_url, check_origin
from fleethands.settings.values.rates import parse_rate
from fleethands.settings.values.secret import Secret
from fleethands.settings.values.server_names import check_server_name
from fleethands.settings.values.source import check_ref, check_repository
from fleethands.text.systemd import check_encodable

_RELEASE = re.compile(r"\d+\.\d+\.\d+(-rc\d+)?\Z", re.ASCII)
GATEWAY_PORT = 443
ARCHITECTURES = ("amd64", "arm64")
NAME_MAX, PATH_MAX = 255, 1024  # bytes; the names of models' files are added to the path (limits.h: 4095 in total)


def _release(value: object) -> str:
    shown = str(value).strip().removeprefix("v")
    if not isinstance(value, str) or not _RELEASE.match(value):
        if _RELEASE.match(shown):
            raise InvalidValue(f"`{shown}`, without a leading v")
        if re.fullmatch(r"\d+\.\d+", shown, re.ASCII):
            raise InvalidValue(f"all three numbers of a release, such as `{shown}.0`")
        raise InvalidValue("a release, such as `0.24.0`")
    return value


def _url(value: object) -> str:
    url = check_line(value)
    if not re.match(r"(https?|file)://[^\s]+\Z", url):
        raise InvalidValue("an address such as `https://mirror.example/ollama` or `file:///srv/ollama`, without spaces")
    return url


def _sha256(value: object) -> str:
    digest = check_line(value)
    if not re.fullmatch(r"[0-9a-f]{64}", digest):
        plain = digest.strip().lower().removeprefix("sha256:")
        known = re.fullmatch(r"[0-9a-f]{64}", plain)
        raise InvalidValue(f"`{plain}`" if known else "a sha256 as 64 lower-case hex digits")
    return digest


def _digests(value: object) -> str | dict[str, str]:
    if not isinstance(value, dict):
        return _sha256(value)
    if not value or not set(value) <= set(ARCHITECTURES):
        raise InvalidValue("one digest, or a dictionary of them by `amd64` and `arm64`")
    return {arch: _sha256(digest) for arch, digest in value.items()}


def _address(value: object) -> ListenAddress:
    return value if isinstance(value, ListenAddress) else ListenAddress.parse(check_line(value))


def _gateway_address(value: object) -> ListenAddress:
    if isinstance(value, ListenAddress):
        return value
    text = check_line(value)
    try:
        address = ListenAddress.parse(text, default_port=GATEWAY_PORT)
    except InvalidValue as error:
        raise InvalidValue(error.form.replace("0.0.0.0:11434", "0.0.0.0:443")) from None
    if address.ip.startswith("127.") or address.ip == "::1":
        raise InvalidValue("an address that other machines reach, such as `0.0.0.0:443`")
    return address


def parse_backend(value: object) -> ListenAddress:
    """The address of another host's gateway. Raises InvalidValue."""
    address = value if isinstance(value, ListenAddress) else ListenAddress.parse(check_line(value), GATEWAY_PORT)
    if address.everywhere or address.ip.startswith("127.") or address.ip == "::1":
        raise InvalidValue("the address by which the gateway reaches the host, such as `10.0.0.11:443`")
    return address


def _server_name(value: object) -> str:
    return check_server_name(check_line(value))


def _secret(value: object) -> Secret:
    if not isinstance(value, Secret):
        raise WrongType("a secret, such as `Secret.file('PATH')`")
    return value


def _ip(value: object) -> str:
    ip = check_line(value)
    if ip == "localhost":
        raise InvalidValue("an IP address, such as `127.0.0.1`")
    try:
        return str(ipaddress.ip_address("" if "%" in ip else ip))
    except ValueError:
        raise InvalidValue("an IP address, such as `127.0.0.1`") from None


def _network(value: object) -> str:
    network = check_line(value)
    try:
        return str(ipaddress.ip_network(network))
    except ValueError:
        pass
    try:
        near = ipaddress.ip_network(network, strict=False)
    except ValueError:
        raise InvalidValue("a network, such as `10.20.0.0/16`") from None
    single = f"{network.partition('/')[0]}/{near.max_prefixlen}"
    raise InvalidValue(f"`{near}`, or `{single}` for that one address")


def _origin(value: object) -> str:
    return check_origin(check_line(value))


def _base_url(value: object) -> str:
    return check_base_url(check_line(value))


def _path(value: object) -> PurePosixPath:
    path = check_line(str(value) if isinstance(value, PurePosixPath) else value)
    parts = PurePosixPath(path).parts
    if not path.startswith("/") or ".." in parts:
        raise InvalidValue("an absolute path, such as `/srv/ollama`")
    if path.rstrip("/") == "" or ":" in path:
        raise InvalidValue("a directory of its own, without `:`")
    plain = PurePosixPath("/", *parts[1:])  # two slashes at the start are one
    check_encodable(path)
    if max(len(part.encode()) for part in parts) > NAME_MAX or len(str(plain).encode()) > PATH_MAX:
        raise InvalidValue(f"a path of at most {PATH_MAX} bytes, and parts of at most {NAME_MAX}")
    return plain


def parse_models_dir(value: object) -> PurePosixPath:
    """A directory that Ollama accepts for its models. Raises InvalidValue."""
    path = _path(value)
    places.check_models_dir(path)
    # ollama envconfig/config.go `Var`; manifest/manifest.go `Manifests` (filepath.Glob): v0.24.0, v0.32.15
    if str(path).strip().strip("\"'") != str(path):
        raise InvalidValue("no space and no quote at its end", "which Ollama drops")
    if set(str(path)) & set("\\*?["):
        raise InvalidValue("none of `\\`, `*`, `?` and `[`", "which Ollama takes for a pattern, and finds no model")
    return path


def why_no_models_dir(directory: str) -> str:
    """Why a directory may not hold models, as a clause; empty if it may."""
    try:
        parse_models_dir(directory)
    except InvalidValue as error:
        return error.note or f"which is not {error.form}"
    return ""


def _workspace(value: object) -> PurePosixPath:
    path = _path(value)
    places.check_workspace(path)
    if str(path).endswith("\\"):
        raise InvalidValue(
            "no `\\` at its end, such as `/srv/workspace`", "which joins the next line of the unit to it"
        )
    if str(path).strip() != str(path):
        raise InvalidValue("no space at its end, such as `/srv/workspace`", "which systemd drops")
    return path


def _user(value: object) -> str:
    user = check_line(value)
    if not re.fullmatch(r"[a-z_][a-z0-9_-]{0,31}", user):
        raise InvalidValue("a user's name: at most 32 lower-case letters, digits, `_` and `-`")
    check_account(user)
    return user


def _model(value: object) -> ModelName:
    return value if isinstance(value, ModelName) else ModelName.parse(check_line(value))


def _litellm(value: object) -> ModelName:
    """A model, with or without litellm's provider prefix."""
    text = str(value) if isinstance(value, ModelName) else check_line(value)
    return _model(re.sub(r"^(ollama|ollama_chat|openai)/", "", text))


def _port(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 65536:
        raise InvalidValue("a port from 1 to 65535")
    return value


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InvalidValue("a whole number from 1")
    return value


def _site(value: object) -> str:
    site = check_line(value)
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", site, re.ASCII):
        raise InvalidValue("a name such as `office-2`: at most 63 letters, digits, `-`, `_` and `.`")
    return site


def _list(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


Release = Annotated[str, BeforeValidator(_release), WithJsonSchema(json_forms.RELEASE)]
Url = Annotated[str, BeforeValidator(_url), WithJsonSchema(json_forms.URL)]
BaseUrl = Annotated[str, BeforeValidator(_base_url), WithJsonSchema(json_forms.BASE_URL)]
Digests = Annotated[str | dict[str, str], BeforeValidator(_digests), WithJsonSchema(json_forms.DIGESTS)]
Sha256 = Annotated[str, BeforeValidator(_sha256), WithJsonSchema(json_forms.SHA256)]
Listen = Annotated[ListenAddress, BeforeValidator(_address), WithJsonSchema(json_forms.LISTEN)]
GatewayAddress = Annotated[ListenAddress, BeforeValidator(_gateway_address), WithJsonSchema(json_forms.LISTEN)]
BackendAddress = Annotated[ListenAddress, BeforeValidator(parse_backend), WithJsonSchema(json_forms.LISTEN)]
ServerName = Annotated[str, BeforeValidator(_server_name), WithJsonSchema(json_forms.SERVER_NAME)]
SecretValue = Annotated[Secret, BeforeValidator(_secret), WithJsonSchema(json_forms.SECRET)]
Directory = Annotated[PurePosixPath, BeforeValidator(_path), WithJsonSchema(json_forms.PATH)]
Ip = Annotated[str, BeforeValidator(_ip), WithJsonSchema(json_forms.IP)]
Network = Annotated[str, BeforeValidator(_network), WithJsonSchema(json_forms.NETWORK)]
SiteName = Annotated[str, BeforeValidator(_site), WithJsonSchema(json_forms.SITE)]
Origin = Annotated[str, BeforeValidator(_origin), WithJsonSchema(json_forms.ORIGIN)]
ModelsDir = Annotated[PurePosixPath, BeforeValidator(parse_models_dir), WithJsonSchema(json_forms.PATH)]
Workspace = Annotated[PurePosixPath, BeforeValidator(_workspace), WithJsonSchema(json_forms.PATH)]
UserName = Annotated[str, BeforeValidator(_user), WithJsonSchema(json_forms.USER)]
Name = Annotated[ModelName, BeforeValidator(_model), WithJsonSchema(json_forms.MODEL)]
LiteLlmName = Annotated[ModelName, BeforeValidator(_litellm), WithJsonSchema(json_forms.MODEL)]
Port = Annotated[int, BeforeValidator(_port), WithJsonSchema(json_forms.PORT)]
Count = Annotated[int, BeforeValidator(_count), WithJsonSchema(json_forms.COUNT)]
Duration = Annotated[str, BeforeValidator(check_duration), WithJsonSchema(json_forms.DURATION)]
Rate = Annotated[int, BeforeValidator(parse_rate), WithJsonSchema(json_forms.RATE)]
Repository = Annotated[str, BeforeValidator(check_repository), WithJsonSchema(json_forms.REPOSITORY)]
GitRef = Annotated[str, BeforeValidator(check_ref), WithJsonSchema(json_forms.GIT_REF)]
Image = Annotated[str, BeforeValidator(check_image), WithJsonSchema(json_forms.IMAGE)]
Text = Annotated[str, BeforeValidator(check_text), WithJsonSchema(json_forms.TEXT)]
AsTuple = BeforeValidator(_list)
