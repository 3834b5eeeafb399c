"""The command line: one group `main` with a command per job; what a command needs is imported when it runs."""

from xattn.cli import (
    app,
    batch,
    bench,
    data,
    doctor,
    evaluate,
    explain,
    fit,
    partition,
    recommend,
    report,
    scenario,
    transparency,
    tune,
)
from xattn.cli.article import example, pipeline
from xattn.cli.root import main
from xattn.cli.service import keys, satisfaction, serve

__all__ = ["main"]

for command in (
    app.app,
    batch.batch,
    bench.bench,
    data.data,
    doctor.doctor,
    evaluate.evaluate,
    example.example,
    explain.explain,
    fit.fit,
    keys.keys,
    partition.partition,
    pipeline.pipeline,
    recommend.recommend,
    report.report,
    satisfaction.satisfaction,
    scenario.scenario,
    serve.serve,
    transparency.transparency,
    tune.tune,
):
    main.add_command(command)
