#include "tests/stress/command.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace stress {
namespace {

std::string BinaryPath() {
  const char* root = std::getenv("TEST_SRCDIR");
  const char* binary = std::getenv("VMSTRESS");
  return std::string(root == nullptr ? "." : root) + "/vmstress/" +
         (binary == nullptr ? "stress/vmstress" : binary);
}

struct Child {
  pid_t pid;
  int out;
  int err;
};

// In the child, before the command takes its place.
void Surround(const Surroundings& surroundings) {
  using Output = Surroundings::Output;
  if (surroundings.output == Output::kClosed) close(STDOUT_FILENO);
  if (surroundings.output == Output::kFullDisk) dup2(open("/dev/full", O_WRONLY), STDOUT_FILENO);
  int unread[2];
  if (surroundings.output == Output::kReaderLeft && pipe(unread) == 0) {
    dup2(unread[1], STDOUT_FILENO);
    close(unread[0]);
    close(unread[1]);
  }
  const rlimit most{surroundings.file_bytes_max, surroundings.file_bytes_max};
  if (surroundings.file_bytes_max != ~0ull) setrlimit(RLIMIT_FSIZE, &most);
}

Child Start(const std::string& folder, const std::vector<std::string>& arguments,
            const Surroundings& surroundings = {}) {
  int out[2], err[2];
  if (pipe(out) != 0 || pipe(err) != 0) abort();
  static const std::string binary = std::filesystem::absolute(BinaryPath());
  std::vector<const char*> argv = {binary.c_str()};
  for (const std::string& argument : arguments) argv.push_back(argument.c_str());
  argv.push_back(nullptr);
  const pid_t pid = fork();
  if (pid == 0) {
    dup2(out[1], STDOUT_FILENO);
    dup2(err[1], STDERR_FILENO);
    for (const int fd : {out[0], out[1], err[0], err[1]}) close(fd);
    Surround(surroundings);
    if (chdir(folder.c_str()) != 0) _exit(99);
    execv(argv[0], const_cast<char* const*>(argv.data()));
    _exit(98);
  }
  close(out[1]);
  close(err[1]);
  return {pid, out[0], err[0]};
}

// Appends what there is; false at the end of the stream.
bool ReadSome(int fd, std::string* text) {
  char buffer[65536];
  const ssize_t n = read(fd, buffer, sizeof buffer);
  if (n <= 0) return false;
  text->append(buffer, static_cast<std::size_t>(n));
  return true;
}

// Calls `act`, if there is one, as soon as there is output.
Outcome Finish(const Child& child, std::function<void(pid_t)> act) {
  Outcome outcome;
  bool out_open = true, err_open = true;
  while (out_open || err_open) {
    pollfd streams[] = {{out_open ? child.out : -1, POLLIN, 0},
                        {err_open ? child.err : -1, POLLIN, 0}};
    poll(streams, 2, -1);
    if (streams[0].revents != 0) out_open = ReadSome(child.out, &outcome.out);
    if (streams[1].revents != 0) err_open = ReadSome(child.err, &outcome.err);
    if (outcome.out.empty() || !act) continue;
    act(child.pid);
    act = nullptr;
  }
  close(child.out);
  close(child.err);
  int status = 0;
  waitpid(child.pid, &status, 0);
  outcome.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return outcome;
}

}  // namespace

CommandTest::CommandTest() {
  const char* base = std::getenv("TEST_TMPDIR");
  std::string pattern = std::string(base == nullptr ? "/tmp" : base) + "/commandXXXXXX";
  folder_ = mkdtemp(pattern.data());
}

CommandTest::~CommandTest() { std::filesystem::remove_all(folder_); }

Outcome CommandTest::Run(const std::vector<std::string>& arguments,
                         const Surroundings& surroundings) {
  return Finish(Start(folder_, arguments, surroundings), nullptr);
}

std::vector<Outcome> CommandTest::RunTogether(const std::vector<std::vector<std::string>>& runs) {
  std::vector<Child> children;
  for (const std::vector<std::string>& arguments : runs)
    children.push_back(Start(folder_, arguments));
  std::vector<Outcome> outcomes;
  for (const Child& child : children) outcomes.push_back(Finish(child, nullptr));
  return outcomes;
}

Outcome CommandTest::RunAndAct(const std::vector<std::string>& arguments,
                               const std::function<void(pid_t)>& act) {
  return Finish(Start(folder_, arguments), act);
}

Outcome CommandTest::RunAndSignal(const std::vector<std::string>& arguments,
                                  const std::vector<int>& signals) {
  return RunAndAct(arguments, [&](pid_t process) {
    for (const int signal : signals) kill(process, signal);
  });
}

std::string CommandTest::Write(const std::string& name, const std::string& text) {
  std::ofstream(folder_ + "/" + name, std::ios::binary) << text;
  return name;
}

std::string CommandTest::Read(const std::string& name) {
  std::ostringstream text;
  text << std::ifstream(folder_ + "/" + name).rdbuf();
  return text.str();
}

std::vector<std::string> CommandTest::Files() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder_))
    names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

void CommandTest::ExpectRefused(const std::vector<std::string>& arguments,
                                const std::vector<std::string>& parts, int code) {
  const std::vector<std::string> before = Files();
  const Outcome outcome = Run(arguments);
  EXPECT_EQ(outcome.exit_code, code) << outcome.err;
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
  for (const std::string& part : parts)
    EXPECT_NE(outcome.err.find(part), std::string::npos) << part << " is not in: " << outcome.err;
  EXPECT_EQ(Files(), before);
}

}  // namespace stress
