"""The command line: `docker compose run --rm loadgen …`."""

import signal

import typer

from loadgen.commands.check import check
from loadgen.commands.columns_page import columns
from loadgen.commands.compare import EPILOG, compare
from loadgen.commands.list_suites import list_suites
from loadgen.commands.needs import SETTINGS, needs
from loadgen.commands.predict import predict
from loadgen.commands.quote import quote
from loadgen.commands.report import export, report
from loadgen.commands.run import quick, run
from loadgen.documents import terminal
from loadgen.errors import ConfigurationError
from loadgen.runs.run import INTERRUPTED

WRONG_USAGE = 2
INTERRUPTS = (signal.SIGINT, signal.SIGTERM)

app = typer.Typer(
    add_completion=False,
    no_args_is_help=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Measures the lab's servers. Without a command: both articles, or the suites in SUITE.",
)


@app.callback(invoke_without_command=True)
def default(context: typer.Context) -> None:
    """Run the default suite where no command is given."""
    if context.invoked_subcommand is None:
        run()


# In the order in which --help lists them.
app.command()(run)
app.command()(quick)
app.command("list")(list_suites)
app.command()(report)
app.command(epilog=EPILOG)(compare)
app.command()(export)
app.command()(predict)
app.command()(check)
app.command()(columns)
app.command()(quote)
app.command(hidden=True, context_settings=SETTINGS)(needs)  # for scripts/bench


def main() -> None:
    """Run the command line; exit codes as in the README."""
    for each in INTERRUPTS:
        signal.signal(each, _interrupt)
    try:
        exit_code = app(standalone_mode=False)
    except ConfigurationError as error:
        _refuse(str(error))
    except (KeyboardInterrupt, typer.Abort):
        raise SystemExit(INTERRUPTED) from None
    except Exception as error:
        if usage := getattr(error, "format_message", None):
            _refuse(usage())
        raise
    raise SystemExit(exit_code)


def _refuse(message: str) -> None:
    """Say what is wrong, on stderr, and leave with the code for wrong usage."""
    terminal.console(stderr=True).print(message, soft_wrap=True)
    raise SystemExit(WRONG_USAGE)


def _interrupt(_signal: int, _frame: object) -> None:
    """`docker compose stop` ends a run as Ctrl-C does: finished rows are kept.

    Once: what more signals come, of an impatient reader or of Compose that hands one on, must not
    cost the ending and the report.
    """
    for each in INTERRUPTS:
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt
