"""`python -m benchmarks` runs them all."""

from benchmarks import compare, dashboard, pad, page, predict, prepare, recipes, robust, train, worker

if __name__ == "__main__":
    for benchmark in (train, worker, predict, prepare, pad, page, dashboard, compare, recipes, robust):
        print(f"\n## {benchmark.__name__.removeprefix('benchmarks.')}\n", flush=True)
        benchmark.main()
