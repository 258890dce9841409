#include "bench/timing.h"

#include <benchmark/benchmark.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <mutex>

namespace bench {
namespace {

constexpr int kSetBatches = 4;  // of a load that needs setting up, in one measurement
constexpr std::uint64_t kControlStretchNs = 10'000'000;

std::uint64_t NowNs(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(now.tv_nsec);
}

// The loads of the threads of one Google Benchmark run.
struct Meeting {
  Meeting(const MakeLoads& make, std::uint32_t threads) : loads(make(threads)), barrier(threads) {}
  Loads loads;
  std::barrier<> barrier;
};

// The first thread to come makes the loads. None leaves before all have come: Google Benchmark lets
// no thread begin alone.
std::shared_ptr<Meeting> Meet(const MakeLoads& make, std::uint32_t threads) {
  static std::mutex mutex;
  static std::weak_ptr<Meeting> current;
  std::lock_guard guard(mutex);
  std::shared_ptr<Meeting> meeting = current.lock();
  if (meeting == nullptr) current = meeting = std::make_shared<Meeting>(make, threads);
  return meeting;
}

void RunLoads(benchmark::State& state, const MakeLoads& make) {
  const auto meeting = Meet(make, static_cast<std::uint32_t>(state.threads()));
  Load& load = *meeting->loads[static_cast<std::size_t>(state.thread_index())];
  const auto batch = static_cast<benchmark::IterationCount>(load.iterations());
  load.Enter();
  if (!load.needs_setup()) {
    while (state.KeepRunningBatch(batch)) load.Run();
  } else {
    while (state.KeepRunningBatch(batch)) {
      state.PauseTiming();
      load.Prepare();
      meeting->barrier.arrive_and_wait();
      state.ResumeTiming();
      load.Run();
      state.PauseTiming();
      meeting->barrier.arrive_and_wait();
      load.Finish();
      state.ResumeTiming();
    }
  }
  if (load.items() != 0) state.SetItemsProcessed(static_cast<std::int64_t>(load.items()));
  if (load.bytes() != 0) state.counters["bytes"] = load.bytes();
  load.Leave();
}

struct Timed {
  std::uint64_t ns = 0;
  std::uint64_t iterations = 0;
};

Timed TimeBatches(Load& load, std::barrier<>& barrier, clockid_t clock) {
  Timed timed;
  for (int batch = 0; batch < kSetBatches; ++batch) {
    load.Prepare();
    barrier.arrive_and_wait();
    const std::uint64_t start = NowNs(clock);
    load.Run();
    timed.ns += NowNs(clock) - start;
    timed.iterations += load.iterations();
    barrier.arrive_and_wait();
    load.Finish();
  }
  return timed;
}

Timed TimeStretch(Load& load, std::barrier<>& barrier, clockid_t clock, std::uint64_t stretch_ns) {
  Timed timed;
  load.Run();  // warm
  barrier.arrive_and_wait();
  const std::uint64_t start = NowNs(clock);
  do {
    load.Run();
    timed.iterations += load.iterations();
    timed.ns = NowNs(clock) - start;
  } while (timed.ns < stretch_ns);
  return timed;
}

// Apart from the next one's by two cache lines: side by side, threads would wait for each other.
struct alignas(128) ArithmeticStep {
  std::uint64_t value = 1;
  void operator()() {
    value = value * 6364136223846793005u + 1442695040888963407u;
    benchmark::DoNotOptimize(value);
  }
};

Loads Arithmetic(std::uint32_t threads) {
  Loads loads;
  for (std::uint32_t i = 0; i < threads; ++i)
    loads.push_back(std::make_unique<LoopLoad<ArithmeticStep>>(10'000, ArithmeticStep()));
  return loads;
}

}  // namespace

void RegisterLoads(const std::string& name, const MakeLoads& make,
                   std::initializer_list<int> threads) {
  auto* registered = benchmark::RegisterBenchmark(name.c_str(), RunLoads, make);
  for (int count : threads) registered->Threads(count);
}

Crew::Crew(std::uint32_t size) : start_(size + 1), done_(size + 1) {
  for (std::uint32_t i = 0; i < size; ++i) threads_.emplace_back(&Crew::Work, this, i);
}

Crew::~Crew() {
  job_ = nullptr;
  start_.arrive_and_wait();
  for (std::thread& thread : threads_) thread.join();
}

void Crew::Run(std::uint32_t count, const std::function<void(std::uint32_t)>& job) {
  job_ = job;
  count_ = count;
  start_.arrive_and_wait();
  done_.arrive_and_wait();
}

void Crew::Work(std::uint32_t self) {
  for (;;) {
    start_.arrive_and_wait();
    if (job_ == nullptr) return;
    if (self < count_) job_(self);
    done_.arrive_and_wait();
  }
}

double MeasureNs(Crew& crew, const Loads& loads, std::uint64_t stretch_ns) {
  const auto threads = static_cast<std::uint32_t>(loads.size());
  const clockid_t clock = threads == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC;
  std::barrier<> barrier(threads);
  std::atomic<std::uint64_t> ns{0}, iterations{0};
  crew.Run(threads, [&](std::uint32_t self) {
    Load& load = *loads[self];
    load.Enter();
    const Timed timed = load.needs_setup() ? TimeBatches(load, barrier, clock)
                                           : TimeStretch(load, barrier, clock, stretch_ns);
    load.Leave();
    ns += timed.ns;
    iterations += timed.iterations;
  });
  return static_cast<double>(ns.load()) / static_cast<double>(iterations.load());
}

double MeasureControl(Crew& crew) {
  const double one = MeasureNs(crew, Arithmetic(1), kControlStretchNs);
  const double two = MeasureNs(crew, Arithmetic(2), kControlStretchNs);
  return 2 * one / two;
}

}  // namespace bench
