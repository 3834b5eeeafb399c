"""The command line: one group `main` with a command per job; what a command needs is imported when it runs."""

from xattn.cli import (
    app,
    bench,
    data,
    doctor,
    evaluate,
    example,
    explain,
    fit,
    partition,
    recommend,
    report,
    scenario,
    transparency,
    tune,
)
from xattn.cli.root import main
from xattn.cli.service import keys, satisfaction, serve

__all__ = ["main"]

for command in (
    app.app,
    bench.bench,
    data.data,
    doctor.doctor,
    evaluate.evaluate,
    example.example,
    explain.explain,
    fit.fit,
    keys.keys,
    partition.partition,
    recommend.recommend,
    report.report,
    satisfaction.satisfaction,
    scenario.scenario,
    serve.serve,
    transparency.transparency,
    tune.tune,
):
    main.add_command(command)
