// Each dependency compiles, links and works in every configuration; the first three with threads,
// so that a sanitizer which does not see into one of them reports it here and not in a test of
// ours.
#include <gtest/gtest.h>
#include <tbb/global_control.h>
#include <tbb/parallel_for.h>
#include <toml++/toml.h>

#include <CLI/CLI.hpp>
#include <boost/intrusive/list.hpp>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"

namespace {

constexpr int kThreads = 4;

TEST(Dependencies, ParallelForVisitsEachElementOnce) {
  tbb::global_control threads(tbb::global_control::max_allowed_parallelism, kThreads);
  std::vector<uint64_t> squares(10000);
  tbb::parallel_for(size_t{0}, squares.size(), [&](size_t i) { squares[i] = i * i; });
  for (size_t i = 0; i < squares.size(); ++i) ASSERT_EQ(squares[i], i * i);
}

TEST(Dependencies, AbseilMutexHandsOverBetweenThreads) {
  absl::Mutex mutex;
  absl::flat_hash_map<int, int> turns;
  int turn = 0;
  std::vector<std::thread> threads;
  for (int self = 0; self < kThreads; ++self) {
    threads.emplace_back([&, self] {
      for (int i = 0; i < 100; ++i) {
        auto mine = [&turn, self] { return turn % kThreads == self; };
        absl::MutexLock lock(&mutex, absl::Condition(&mine));
        ++turns[self];
        ++turn;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (int self = 0; self < kThreads; ++self) EXPECT_EQ(turns[self], 100);
}

TEST(Dependencies, AbseilContendedMutexCounts) {
  absl::Mutex mutex;
  int count = 0;
  std::vector<std::thread> threads;
  for (int self = 0; self < kThreads; ++self) {
    threads.emplace_back([&] {
      for (int i = 0; i < 5000; ++i) {
        absl::MutexLock lock(&mutex);
        ++count;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(count, kThreads * 5000);
}

TEST(Dependencies, TomlBecomesJson) {
  toml::table table = toml::parse("[run]\nthreads = 8\n");
  nlohmann::json json = {{"threads", table["run"]["threads"].value_or(0)}};
  EXPECT_EQ(json.dump(), R"({"threads":8})");
}

TEST(Dependencies, CommandLineIsParsed) {
  CLI::App app;
  int threads = 0;
  app.add_option("--threads", threads);
  app.parse(absl::StrCat("--threads=", 8));
  EXPECT_EQ(threads, 8);
}

TEST(Dependencies, IntrusiveListLinks) {
  struct Node : boost::intrusive::list_base_hook<> {
    int value = 7;
  };
  Node node;
  boost::intrusive::list<Node> list;
  list.push_back(node);
  EXPECT_EQ(list.front().value, 7);
  list.clear();
}

}  // namespace
