"""The commands `jayx-stream keys ...`: API keys of a server that runs. Rule: what a key is used with is
shown once, by the command that makes it.
"""

from base64 import b64encode
from pathlib import Path
from typing import Annotated, Any, Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cyclopts import App, Parameter

from jayx_stream.app.operator_client import Operator, OperatorError, Reach, run, segment
from jayx_stream.app.secret_file import SecretFileError, write_secret
from jayx_stream.app.telling import tell, tell_rows
from jayx_stream.app.times import utc

keys_app = App(
    name="keys",
    help="API keys of a server that runs: made, listed, revoked.",
    help_format="markdown",
)

HERE = Reach()
COLUMNS = ("key_id", "account", "kind", "permissions", "networks", "signed_streams", "label")
PUBLIC_KEY_BYTES_MAX = 10_000


@keys_app.command
def create(
    *,
    account: str,
    kind: Literal["hmac", "ed25519"] = "hmac",
    permission: Annotated[
        tuple[Literal["read", "trade"], ...], Parameter(consume_multiple=True, negative="")
    ] = ("read",),
    network: Annotated[tuple[str, ...], Parameter(consume_multiple=True, negative="")] = (),
    signed_streams: Annotated[bool, Parameter(negative="")] = False,
    label: str = "",
    public_key: Path | None = None,
    private_key_out: Path | None = None,
    reach: Reach = HERE,
) -> None:
    """Make a key, and show what its holder needs: this once.

    A key that trades, one that only reads and only from an office, one whose private half the server
    never has:

    ```
    jayx-stream keys create --config venue.toml --account alice --permission read trade
    jayx-stream keys create --config venue.toml --account alice --network 192.0.2.0/24 --label office
    jayx-stream keys create --config venue.toml --account bot --kind ed25519 --public-key bot.pub
    ```

    Parameters
    ----------
    account
        Whose orders, balances and streams it opens.
    kind
        hmac: a secret that both sides hold. ed25519: the server holds the public half only.
    permission
        What it may be used for.
    network
        Addresses or networks whence it may be used; without any, from everywhere.
    signed_streams
        Its private streams want a signature too.
    label
        Your own words.
    public_key
        Of an ed25519 key: a file with it, PEM or base64.
    private_key_out
        Instead, make a pair, and write the private half to this file, which must not be there yet.
    """
    wanted = {
        "account": account,
        "kind": kind,
        "permissions": permission,
        "networks": network,
        "signed_streams": signed_streams,
        "label": label,
    }

    def act(operator: Operator) -> None:
        public = _public_half(kind, public_key, private_key_out)
        made = _make(operator, {**wanted, "public_key": public}, private_key_out)
        tell(made, _credentials(made, private_key_out), as_json=reach.as_json)

    run(reach, act)


@keys_app.command(name="list")
def list_keys(*, account: str | None = None, reach: Reach = HERE) -> None:
    """List keys, revoked ones too, without what they are used with.

    ```
    jayx-stream keys list --config venue.toml
    jayx-stream keys list --config venue.toml --account alice --json
    ```

    Parameters
    ----------
    account
        Only those of this account.
    """

    def act(operator: Operator) -> None:
        keys = list(operator.all_rows("keys", "key_id", account=account))
        if reach.as_json:
            tell_rows(keys, (), as_json=True)
            return
        for key in keys:
            key["added"], key["revoked"] = utc(key["added"]), utc(key["revoked"])
        tell_rows(keys, (*COLUMNS, "added", "revoked"), as_json=False)

    run(reach, act)


@keys_app.command
def revoke(key_id: str, /, *, reach: Reach = HERE) -> None:
    """Let a key in no more, for ever; connections that it let in end at once.

    ```
    jayx-stream keys revoke 3f0c8a1b2d4e --config venue.toml
    ```

    Parameters
    ----------
    key_id
        As the list names it.
    """

    def act(operator: Operator) -> None:
        key = operator.ask("DELETE", f"keys/{segment(key_id)}")
        text = f"key {key['key_id']} of {key['account']} is revoked since {utc(key['revoked'])}"
        tell(key, text, as_json=reach.as_json)

    run(reach, act)


def _make(
    operator: Operator, wanted: dict[str, Any], private_key_out: Path | None
) -> dict[str, Any]:
    """The answer to the request for a key. Raises OperatorError."""
    try:
        made: dict[str, Any] = operator.ask("POST", "keys", wanted)
    except OperatorError:
        if private_key_out is not None:
            # Nobody was told the key that it would sign for, even if there is one now.
            private_key_out.unlink(missing_ok=True)
        raise
    return made


def _public_half(kind: str, public_key: Path | None, private_key_out: Path | None) -> str | None:
    """What the server is to be given. Raises OperatorError."""
    given = [each for each in (public_key, private_key_out) if each is not None]
    if kind == "hmac":
        if given:
            raise OperatorError("--public-key and --private-key-out are for --kind ed25519")
        return None
    if len(given) != 1:
        raise OperatorError("--kind ed25519 wants either --public-key or --private-key-out")
    if public_key is not None:
        try:
            with public_key.open("rb") as file:
                return file.read(PUBLIC_KEY_BYTES_MAX).decode("ascii", "replace").strip()
        except OSError as error:
            raise OperatorError(f"can't read {public_key}: {error.strerror}") from error
    assert private_key_out is not None, "one of both is given"
    private = Ed25519PrivateKey.generate()
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        write_secret(private_key_out, pem.decode().strip())
    except SecretFileError as error:
        raise OperatorError(str(error)) from error
    return b64encode(private.public_key().public_bytes_raw()).decode()


def _credentials(made: dict[str, Any], private_key_out: Path | None) -> str:
    lines = [
        f"key {made['key_id']} of {made['account']}, {made['kind']}, {' and '.join(made['permissions'])}",
        f"api key  {made['api_key']}",
    ]
    if made["secret"] is not None:
        lines.append(f"secret   {made['secret']}")
        lines.append("Keep both now: they are shown this once.")
    else:
        lines.append("Keep it now: it is shown this once.")
    if private_key_out is not None:
        lines.append(f"The private key is in {private_key_out}.")
    return "\n".join(lines)
