// Every benchmark that comparisons over time rely on is there under its name and runs.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

namespace bench {
namespace {

std::string FileOf(const std::string& program, const std::string& end) {
  return std::string(std::getenv("TEST_TMPDIR")) + "/" + program + end;
}

// Runs a program once over a tiny set, without its machines of ten million pages and more, and
// returns what it wrote.
nlohmann::json RunOnce(const std::string& program) {
  const std::string out = FileOf(program, ".json");
  const std::string command = "bench/" + program + " --set_pages=64 --benchmark_min_time=0" +
                              " --benchmark_filter=-/[0-9]{8} --benchmark_out=" + out +
                              " >/dev/null 2>&1";
  EXPECT_EQ(std::system(command.c_str()), 0) << command;
  return nlohmann::json::parse(std::ifstream(out), nullptr, false);
}

std::set<std::string> NamesOf(const std::string& program) {
  const std::string out = FileOf(program, ".names");
  const std::string command = "bench/" + program + " --benchmark_list_tests >" + out;
  EXPECT_EQ(std::system(command.c_str()), 0) << command;
  std::set<std::string> names;
  std::ifstream lines(out);
  for (std::string line; std::getline(lines, line);) names.insert(line);
  return names;
}

void ExpectNames(const std::string& program, const std::vector<std::string>& names) {
  const nlohmann::json json = RunOnce(program);
  ASSERT_TRUE(json.is_object());
  for (const auto& benchmark : json["benchmarks"]) {
    EXPECT_FALSE(benchmark.contains("error_occurred")) << benchmark;
    EXPECT_GT(benchmark["real_time"], 0) << benchmark;
  }
  const std::set<std::string> found = NamesOf(program);
  for (const std::string& name : names)
    EXPECT_TRUE(found.contains(name)) << program << " has no " << name;
  EXPECT_TRUE(json["context"]["build"].contains("commit"));
  EXPECT_TRUE(json["context"]["host"].contains("cores"));
  EXPECT_EQ(json.dump().find("executable"), std::string::npos);
  EXPECT_EQ(json.dump().find("host_name"), std::string::npos);
}

void AddThreads(const std::string& name, const std::vector<int>& threads,
                std::vector<std::string>* names) {
  for (int count : threads) names->push_back(name + "/threads:" + std::to_string(count));
}

TEST(BenchmarkNames, Locks) {
  std::vector<std::string> kinds = {"std_mutex",        "std_shared_mutex_read",  "absl_mutex",
                                    "tbb_spin",         "absl_mutex_detect",      "tbb_queuing",
                                    "tbb_spin_rw_read", "absl_nested_pair_detect"};
  for (const char* kind : {"mutex", "recursive", "spin", "rw_read", "rw_write", "nested_pair"})
    for (const char* witness : {"/off", "/on"}) kinds.push_back(std::string(kind) + witness);
  std::vector<std::string> names;
  for (const std::string& kind : kinds) {
    AddThreads("Lock/" + kind, {1, 2}, &names);
    AddThreads("Lock/" + kind + "/shared", {2, 4}, &names);
  }
  for (const char* kind : {"mutex", "spin", "rw_read"})
    AddThreads("Lock/" + std::string(kind) + "/on", {4, 8}, &names);
  for (const char* size : {"window/8192", "window/32768", "window/131072", "chains/6250",
                           "chains/25000", "chains/100000"})
    names.push_back(std::string("Witness/") + size);
  ExpectNames("locks", names);
}

TEST(BenchmarkNames, Fault) {
  std::vector<std::string> names;
  for (const char* kind :
       {"Fault/resident", "Fault/zero_fill", "Fault/cow", "Fault/swap_in",
        "Fault/resident/one_object", "Fault/resident/one_space",
        "Fault/resident/one_object/per_page", "Fault/resident/one_space/per_page",
        "Fault/resident/one_object/giant", "Fault/resident/one_space/giant", "HostFault/anonymous",
        "HostFault/shared_memfd", "HostFault/private_file", "HostFault/cow"})
    AddThreads(kind, {1, 2}, &names);
  ExpectNames("fault", names);
}

TEST(BenchmarkNames, Pages) {
  std::vector<std::string> names = {"System/build_64",
                                    "System/build/16777216",
                                    "Page/lookup/radix/100",
                                    "Collapse/16",
                                    "Collapse/512",
                                    "Fork/16",
                                    "Fork/512",
                                    "Pmap/enter_again",
                                    "Pmap/remove_page/64",
                                    "Cpu/store_miss",
                                    "Page/lookup/rbtree/10000",
                                    "Page/lookup/splay/1000000"};
  AddThreads("Page/alloc_free/10000000", {1, 2}, &names);
  ExpectNames("pages", names);
}

TEST(BenchmarkNames, Explore) {
  ExpectNames("explore", {"Explore/mutex_3x10/random", "Explore/point/random/1",
                          "Explore/point/random/256", "Explore/switch", "Explore/spawn"});
}

}  // namespace
}  // namespace bench
