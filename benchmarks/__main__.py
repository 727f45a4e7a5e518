"""`python -m benchmarks` runs them all."""

from benchmarks import pad, page, predict, recipes, train, worker

if __name__ == "__main__":
    for benchmark in (train, worker, predict, pad, page, recipes):
        print(f"\n## {benchmark.__name__.removeprefix('benchmarks.')}\n", flush=True)
        benchmark.main()
