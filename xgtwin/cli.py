"""`xgtwin`: every command, one line each; what they do stands in the module of the same name.

The commands of lamps have a page of their own, `lamp_cli`, and so have those that take data elsewhere, `archive_cli`.
"""

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape

from shared.auth.keys import Scope
from shared.errors import XgtwinError
from shared.settings import Settings
from shared.version import VERSION
from xgtwin.archive_cli import archive_app
from xgtwin.lamp_cli import lamp_app

app = typer.Typer(
    name="xgtwin",
    help="Answers with proof from your documents, and a live twin of your lamps.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
keys_app = typer.Typer(help="API keys of the ingest and query services.", no_args_is_help=True)
app.add_typer(archive_app)
app.add_typer(lamp_app, name="lamp")
app.add_typer(keys_app, name="keys")
models_app = typer.Typer(help="Embedding models: what meaning is searched with, beside words.", no_args_is_help=True)
app.add_typer(models_app, name="models")

Key = Annotated[str, typer.Option(envvar="XGTWIN_KEY", help="API key, where authentication is on.")]


RENAMED = {
    "QUERY__MIN_COVERAGE": "QUERY__MIN_CONFIDENCE, whose scale is another",
    "EMBEDDER__DENSE_WEIGHT": "RETRIEVAL__DENSE_WEIGHT",
}
"""Settings that an .env from before may still have."""


def main() -> None:
    """Run the command line; errors meant for a person are printed without a traceback, exit status 1."""
    try:
        app()
    except XgtwinError as error:
        _complain(error.detail)
        sys.exit(1)
    except ValidationError as error:
        for problem in error.errors():
            name = "__".join(str(part).upper() for part in problem["loc"])
            advice = f"renamed to {RENAMED[name]}" if name in RENAMED else problem["msg"]
            _complain(f"setting {name}: {advice} (see .env.example)")
        sys.exit(1)


def _complain(words: str) -> None:
    """One line on stderr; what others wrote (names, paths) is shown as it is, not read as markup."""
    Console(stderr=True).print(f"[red]xgtwin:[/red] {escape(words)}", highlight=False, soft_wrap=True)


@app.command()
def up() -> None:
    """Run the three services in this process on embedded parts. Ctrl+C stops them."""
    from xgtwin.up import run_embedded

    run_embedded(Settings())


@app.command()
def ask(
    question: Annotated[str, typer.Argument(help='For example: "Quando o Inatel foi fundado?"')],
    conversation: Annotated[str, typer.Option(help="Go on with this conversation.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole answer object.")] = False,
    key: Key = "",
) -> None:
    """Ask the running query service and print the answer with its sources."""
    from xgtwin.ask_command import ask_and_print

    ask_and_print(Settings(), question, conversation_id=conversation, as_json=as_json, key=key)


@app.command()
def ingest(
    source: Annotated[str, typer.Argument(help="A document, a folder of documents, or the address of a web page.")],
    key: Key = "",
) -> None:
    """Send documents to the running ingest service and show how far they are. Repeated, it goes on where it was.

    Exit status 1: something was refused or cannot be read; the end of the output says what and why.
    """
    from xgtwin.ingest_command import ingest as send

    sys.exit(send(Settings(), source, key=key))


@app.command()
def scan(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")] = False,
    confirm: Annotated[bool, typer.Option("--confirm", help="Delete what was held back as a likely accident.")] = False,
    key: Key = "",
) -> None:
    """Have the watched folder read now and print what is new, changed, gone or refused."""
    from xgtwin.scan_command import scan_folder

    scan_folder(Settings(), dry_run=dry_run, confirm=confirm, key=key)


@app.command()
def doctor() -> None:
    """Check this installation and say what to do about what is wrong."""
    from xgtwin.doctor import examine

    sys.exit(0 if examine(Settings()) else 1)


@app.command()
def reindex(key: Key = "") -> None:
    """Make all vectors anew beside the present ones, which answer until the new ones are complete."""
    from xgtwin.reindex_command import reindex as renew

    renew(Settings(), key=key)


@app.command("eval")
def evaluate(
    questions: Annotated[Path, typer.Argument(help="A folder with passages and questions, or a file of questions.")],
    *,
    split: Annotated[Literal["dev", "test", "all"], typer.Option(help="Tune on dev, report test.")] = "all",
    limit: Annotated[int | None, typer.Option(min=1, help="Ask at most so many questions, always the same.")] = None,
    report: Annotated[Path | None, typer.Option(help="Also write it, with the failures: a .md or .json file.")] = None,
    documents: Annotated[
        Path | None, typer.Option(help="What a file of questions is about; the watched folder unless said otherwise.")
    ] = None,
    unanswerable: Annotated[Path | None, typer.Option(help="A file of questions that nothing answers.")] = None,
    first_half: Annotated[
        Path | None, typer.Option(help="A file of titles, one a line: halve the documents by them for refusals too.")
    ] = None,
    knobs: Annotated[bool, typer.Option(help="Also measure retrieval with each knob off.")] = True,
    retrieval_only: Annotated[bool, typer.Option("--retrieval-only", help="No answers and no refusals.")] = False,
) -> None:
    """Measure retrieval, answers, proof and refusals on a question set, without a running service.

    The sets are described in docs/evaluation.md.
    """
    from xgtwin.eval_command import Files, run_evaluation
    from xgtwin.evaluation.run import Scope

    files = Files(questions, documents, unanswerable, first_half, report)
    run_evaluation(Settings(), files, Scope(split, limit, knobs, whole=not retrieval_only))


@app.command()
def version() -> None:
    """Print the version."""
    print(VERSION)


@keys_app.command("create")
def keys_create(
    name: Annotated[str, typer.Argument(help="Whose key this is, such as unity-lab.")],
    scope: Annotated[list[Scope] | None, typer.Option(help="What it may do; ask unless said otherwise.")] = None,
) -> None:
    """Make a key and print it, the only time it is shown."""
    from xgtwin.keys_command import create

    create(Settings(), name, scope or [Scope.ASK])


@keys_app.command("list")
def keys_list() -> None:
    """List the live keys."""
    from xgtwin.keys_command import show

    show(Settings())


@keys_app.command("revoke")
def keys_revoke(key_id: Annotated[str, typer.Argument(help="The id that `keys list` shows.")]) -> None:
    """Make a key useless at once."""
    from xgtwin.keys_command import revoke

    revoke(Settings(), key_id)


@models_app.command("pull")
def models_pull(
    model: Annotated[str, typer.Argument(help="Name on the hub; empty means EMBEDDER__MODEL.")] = "",
) -> None:
    """Fetch a model into the data folder. Interrupted, it goes on where it was; a running xgtwin takes it up."""
    from xgtwin.models_command import pull

    pull(Settings(), model)


@models_app.command("list")
def models_list() -> None:
    """List the models of the data folder: whole or not, size, and which one is asked for."""
    from xgtwin.models_command import show

    show(Settings())
