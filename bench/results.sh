#!/usr/bin/env bash
# Measures everything again and writes bench/results/: one file a program, of the release build.
# Takes about ten minutes; on a machine that does nothing else.
set -euo pipefail
cd "$(dirname "$0")/.."
programs=(locks fault pages explore swap)
bazel build --config=release "${programs[@]/#///bench:}" //bench:ratios
binaries=$(readlink -f bazel-bin/bench)
mkdir -p bench/results
for program in "${programs[@]}"; do
  "$binaries/$program" --benchmark_min_time=0.05 --benchmark_repetitions=5 \
    --benchmark_enable_random_interleaving=true --benchmark_display_aggregates_only=true \
    --benchmark_out="bench/results/$program.json"
done
"$binaries/ratios" --json=bench/results/ratios.json
