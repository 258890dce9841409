// The ways a command ends, and the exceptions that end it with one line on standard error.
#ifndef STRESS_CONFIG_ERROR_H_
#define STRESS_CONFIG_ERROR_H_

#include <stdexcept>
#include <string>

namespace stress {

enum ExitCode : int {
  kExitClean = 0,
  kExitFailed = 1,         // a failure was found
  kExitUsage = 2,          // usage or bad input
  kExitCannotRun = 3,      // disk, memory, permissions
  kExitInterrupted = 130,  // what was found so far is kept
};

// One line: what was wrong, where, what is accepted.
class CommandError : public std::runtime_error {
 public:
  CommandError(ExitCode code, const std::string& line) : std::runtime_error(line), code_(code) {}
  ExitCode code() const { return code_; }

 private:
  ExitCode code_;
};

[[noreturn]] inline void FailUsage(const std::string& line) {
  throw CommandError(kExitUsage, line);
}
[[noreturn]] inline void FailHost(const std::string& line) {
  throw CommandError(kExitCannotRun, line);
}
[[noreturn]] inline void FailNotAvailable(const std::string& what) {
  FailUsage(what + " is not available in this version");
}

}  // namespace stress

#endif  // STRESS_CONFIG_ERROR_H_
