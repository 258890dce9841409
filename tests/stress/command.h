// Runs the vmstress binary as a user would: exit code, output, and a folder of its own. The
// variable VMSTRESS names another binary, by its path among the test's files.
#ifndef TESTS_STRESS_COMMAND_H_
#define TESTS_STRESS_COMMAND_H_

#include <gtest/gtest.h>
#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace stress {

struct Outcome {
  int exit_code = -1;  // -1: ended by a signal
  std::string out;
  std::string err;
};

// What the command finds when it starts, besides its arguments.
struct Surroundings {
  enum class Output { kRead, kClosed, kReaderLeft, kFullDisk };
  Output output = Output::kRead;
  std::uint64_t file_bytes_max = ~0ull;  // of each file that it writes
};

class CommandTest : public testing::Test {
 protected:
  CommandTest();  // an empty folder, in which the command runs
  ~CommandTest() override;

  // Waits for its end.
  Outcome Run(const std::vector<std::string>& arguments, const Surroundings& surroundings = {});
  // Several at the same time.
  std::vector<Outcome> RunTogether(const std::vector<std::vector<std::string>>& runs);
  // Starts it; calls `act` with its process once it has written its first line, which it does when
  // all that it needs is there and before it begins.
  Outcome RunAndAct(const std::vector<std::string>& arguments,
                    const std::function<void(pid_t)>& act);
  // Sends `signals` then, one after the other.
  Outcome RunAndSignal(const std::vector<std::string>& arguments, const std::vector<int>& signals);

  // Writes a file of the folder and returns its name.
  std::string Write(const std::string& name, const std::string& text);
  std::string Read(const std::string& name);
  std::vector<std::string> Files();

  // Exit code 2 (or `code`), nothing on standard output, one line on standard error that holds
  // `parts`, and no file left behind.
  void ExpectRefused(const std::vector<std::string>& arguments,
                     const std::vector<std::string>& parts, int code = 2);

  std::string folder_;
};

}  // namespace stress

#endif  // TESTS_STRESS_COMMAND_H_
