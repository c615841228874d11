"""The commands, their options, and how errors end: one line and an exit status."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

import maas_engine
from maas_engine.cli import _package_keys, _promote, _token, fail
from maas_engine.cli._errors import describe
from maas_engine.cli._options import (
    Authorities,
    Data,
    Delimiter,
    Drop,
    Encoding,
    Format,
    Json,
    Seed,
    Target,
    Threads,
    TokenFile,
    limit_threads,
    read,
    read_token,
    without,
)

app = typer.Typer(
    name="maas-engine",
    help="Train and judge models on tables (CSV, Parquet and Arrow files, standard input), pack and prove them.",
    epilog="For builds of C++ and C programs: --cmake-dir, --pkg-config-dir, --include-dir and --library-dir, each "
    "alone, print where the library lies.",
    add_completion=False,
    pretty_exceptions_enable=False,
)

app.add_typer(_package_keys.app, name="package")
app.add_typer(_promote.app, name="registry")
app.add_typer(_token.app, name="token")

# Of the click that typer is built on, or, from 0.16 on, contains.
UsageError: Any = typer.BadParameter.__mro__[1]

Task = Annotated[str, typer.Option(help="auto, classification or regression")]
File = Annotated[str, typer.Argument(help="ONNX file")]


@app.callback(invoke_without_command=True)
def options(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit")] = False,
    traceback: Annotated[
        bool, typer.Option("--traceback", help="Show Python's traceback of an error")
    ] = False,
) -> None:
    if version:
        print(f"maas-engine {maas_engine.__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        print(context.get_help())
    del traceback  # read from sys.argv by run(), which also catches errors of the parser


@app.command()
def train(
    data: Data,
    target: Target,
    task: Task = "auto",
    model: Annotated[str, typer.Option(help="Linear model or network by name (mlp), or auto")] = "auto",
    set: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="Parameter of the model; may be repeated")
    ] = None,
    cv: Annotated[int, typer.Option(help="Folds of the cross-validation; 0 for none")] = 5,
    test_size: Annotated[float, typer.Option(help="Share of rows held out for the final figures")] = 0.2,
    drop: Drop = None,
    format: Format = None,
    encoding: Encoding = "utf-8",
    delimiter: Delimiter = None,
    out: Annotated[
        str | None, typer.Option(metavar="FILE.onnx", help="Save the model, preprocessing included")
    ] = None,
    plot: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Draw a network's loss, epoch by epoch: .svg, .png, .pdf"),
    ] = None,
    package: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="Pack the model with its figures, parameters, origin and rows"),
    ] = None,
    seed: Seed = 0,
    threads: Threads = None,
    json: Json = False,
) -> None:
    """Preprocess, train, cross-validate and evaluate on held-out rows."""
    from maas_engine.cli import _pack, _report, _train

    limit_threads(threads)
    with _report.progress() as steps:
        source, origin = (None, {}) if package is None else _pack.source(data)
        table = read(data, format, encoding, delimiter, steps, source)
        result = _train.train(
            table,
            target=target,
            task=task,
            model=model,
            settings=set or [],
            folds=cv,
            test_size=test_size,
            drop=drop or [],
            out=out,
            plot=plot,
            package=package,
            origin=origin,
            seed=seed,
            steps=steps,
        )
    _report.show(result, _report.training, as_json=json)


@app.command()
def evaluate(
    data: Data,
    target: Target,
    prediction: Annotated[str, typer.Option(help="Column with the predictions", show_default=False)],
    score: Annotated[
        str | None, typer.Option(help="Column with the probability of the larger of two labels")
    ] = None,
    task: Task = "auto",
    format: Format = None,
    encoding: Encoding = "utf-8",
    delimiter: Delimiter = None,
    seed: Seed = 0,
    threads: Threads = None,
    json: Json = False,
) -> None:
    """Judge predictions that are columns of a table, with confidence intervals."""
    from maas_engine.cli import _evaluate, _report

    limit_threads(threads)
    with _report.progress() as steps:
        table = read(data, format, encoding, delimiter, steps)
        result = _evaluate.evaluate_table(table, target, prediction, score, task, seed)
    _report.show(result, _report.evaluation, as_json=json)


@app.command()
def predict(
    file: Annotated[
        str,
        typer.Argument(
            help="ONNX file, package folder, models:/NAME/VERSION or models:/NAME@ALIAS; none with --url"
        ),
    ],
    data: Annotated[
        str | None,
        typer.Argument(help="CSV, TSV, Parquet or Arrow file; - for standard input", show_default=False),
    ] = None,
    proba: Annotated[bool, typer.Option("--proba", help="Also the probability of each label")] = False,
    out: Annotated[
        str | None, typer.Option(help="File .csv, .parquet or .arrow; default: CSV on standard output")
    ] = None,
    url: Annotated[
        str | None, typer.Option(help="Ask a server: http://…, https://… or tcp://…; then --model")
    ] = None,
    model: Annotated[str | None, typer.Option(help="Name of the server's model, or NAME/VERSION")] = None,
    token_file: TokenFile = None,
    ca: Authorities = None,
    format: Format = None,
    encoding: Encoding = "utf-8",
    delimiter: Delimiter = None,
    drop: Drop = None,
    threads: Threads = None,
    json: Json = False,
) -> None:
    """Predict the rows of a table with a model file, or with a server's model: predict --url URL --model NAME DATA."""
    from maas_engine.cli import _predict, _report

    if url is not None and (model is None or data is not None):
        raise UsageError(
            "--url expects --model NAME and the table alone: predict --url URL --model NAME DATA"
        )
    if url is None and data is None:
        raise UsageError("Missing argument 'data': predict FILE DATA")
    limit_threads(threads)
    with _report.progress() as steps:
        place = file if data is None else data
        table = without(read(place, format, encoding, delimiter, steps), drop)
        if url is None:
            columns = _predict.predict(file, table, probabilities=proba)
        else:
            from maas_engine.client import Client

            with Client(url, read_token(token_file), ca=ca) as client, steps.step(f"asking {client!r}"):
                columns = _predict.predict_at(client, str(model), table, probabilities=proba)
    _predict.write(columns, out, as_json=json)


@app.command()
def inspect(file: File, json: Json = False) -> None:
    """Show what a model file holds and how it will run."""
    from maas_engine.cli import _inspect, _report

    _report.show(_inspect.inspect(file), _report.facts, as_json=json)


@app.command()
def verify(
    file: File,
    data: Annotated[str, typer.Option(help="Table whose rows both runtimes predict", show_default=False)],
    against: Annotated[str, typer.Option(help="The other runtime: onnxruntime")] = "onnxruntime",
    drop: Drop = None,
    format: Format = None,
    encoding: Encoding = "utf-8",
    delimiter: Delimiter = None,
    json: Json = False,
) -> None:
    """Compare a model file's answers with another runtime's; exit status 1 where they differ."""
    from maas_engine.cli import _report, _verify

    with _report.progress() as steps:
        table = without(read(data, format, encoding, delimiter, steps), drop)
        with steps.step(f"comparing with {against}"):
            result = _verify.verify(file, table, against)
    _report.show(result, _report.comparison, as_json=json)
    if not result["same"]:
        raise typer.Exit(1)


@app.command()
def info(json: Json = False) -> None:
    """Show the version, the processor, the threads and the optional packages."""
    from maas_engine.cli import _info, _report

    _report.show(_info.info(), _report.facts, as_json=json)


@app.command()
def monitor(
    url: Annotated[str, typer.Argument(metavar="URL", help="Of a server, http://HOST:PORT")],
    model: Annotated[str | None, typer.Option(help="Only this model; default: all with a profile")] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Show it again every 5 seconds, until Ctrl-C")
    ] = False,
    fail_on: Annotated[
        str | None, typer.Option(help="Exit status 1 where a column drifts as much: moderate or major")
    ] = None,
    token_file: TokenFile = None,
    ca: Authorities = None,
    json: Json = False,
) -> None:
    """Show how a live server's rows drift from its models' references."""
    import time

    from maas_engine.cli import _monitor, _report

    _monitor.check_level(fail_on)
    token = read_token(token_file)
    while True:
        result = _monitor.monitor(url, model, token, ca)
        _report.show(result, _monitor.tables, as_json=json)
        if fail_on and _monitor.exceeds(result, fail_on):
            raise typer.Exit(1)
        if not watch:
            return
        time.sleep(5.0)


@app.command()
def bench(
    rows: Annotated[
        int | None, typer.Option(min=1, help="Of the generated table (100000), or of a request (1)")
    ] = None,
    columns: Annotated[int, typer.Option(min=1, help="Of the generated table")] = 20,
    model: Annotated[
        list[str] | None, typer.Option(help="Only this estimator; may be repeated. With --url: the model")
    ] = None,
    repeat: Annotated[int, typer.Option(min=1, help="Fits of each; the median counts")] = 5,
    url: Annotated[
        str | None, typer.Option(help="Load a server instead: http://HOST:PORT or tcp://HOST:PORT")
    ] = None,
    rate: Annotated[
        float, typer.Option(min=0, help="Requests a second, however slow; 0: the next when one is answered")
    ] = 0.0,
    connections: Annotated[int, typer.Option(min=1, help="To the server")] = 8,
    pipeline: Annotated[int, typer.Option(min=1, help="Requests under way on each connection")] = 1,
    seconds: Annotated[float, typer.Option(min=0.1, help="Of load, after one of warming up")] = 10.0,
    json_body: Annotated[bool, typer.Option("--json-body", help="Ask over HTTP in JSON, not binary")] = False,
    plot: Annotated[
        str | None, typer.Option(metavar="FILE", help="Draw latency by percentile: .svg, .png, .pdf")
    ] = None,
    token_file: TokenFile = None,
    seed: Seed = 0,
    threads: Threads = None,
    json: Json = False,
) -> None:
    """Time the estimators beside scikit-learn's on generated data, or a server under load (--url)."""
    if url is not None:
        _bench_server(
            url,
            model or [],
            plot,
            json,
            rate=rate,
            connections=connections,
            pipeline=pipeline,
            rows=rows or 1,
            seconds=seconds,
            as_json=json_body,
            token=read_token(token_file),
            seed=seed,
        )
        return
    from maas_engine.cli import _bench, _report

    limit_threads(threads)
    if rows is not None and rows < 10:
        raise UsageError("--rows expects at least 10 for a table")
    with _report.progress() as steps:
        result = _bench.bench(rows or 100_000, columns, model or [], repeat, seed, steps)
    _report.show(result, _report.benchmark, as_json=json)


def _bench_server(url: str, names: list[str], plot: str | None, json: bool, **load: Any) -> None:
    from maas_engine.cli import _load, _report

    if len(names) != 1:
        raise UsageError("--url expects one --model, by the name that the server has for it")
    with _report.progress() as steps:
        measured = _load.load(url, names[0], **load, warm_up=min(1.0, load["seconds"]), steps=steps)
    if plot is not None:
        _load.draw(measured, plot)
    _report.show(measured, _load.table, as_json=json)


def run() -> None:
    """Parse ``sys.argv``, run one command and exit."""
    try:
        status = app(prog_name="maas-engine", standalone_mode=False)
    except UsageError as error:
        command = error.ctx.command_path if error.ctx is not None else "maas-engine"
        fail(f"{error.format_message()} (see {command} --help)", 2)
    except (typer.Abort, KeyboardInterrupt):
        status = 130
    except BrokenPipeError:  # the reader of our output left, e.g. head
        sys.stderr.close()
        sys.exit(1)
    except Exception as error:
        if "--traceback" in sys.argv:
            raise
        fail(describe(error), 1)
    if status == 130:
        fail("interrupted", 130)
    sys.exit(status if isinstance(status, int) else 0)
